using System.Globalization;
using ClipSae.Sae;
using ClipSae.Sae.Kernels;
using ClipSae.Sae.Steps;
using ClipSae.Sae.Training;
using ClipSae.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace ClipSae.Benchmarks;

/// <summary>
/// One Top-K training step by the kernels against the plain dense formulation in the same library and against the one product that the
/// maths needs, the encoder's forward in float32, measured in turns. Then memory over 1,000 small steps.
/// </summary>
internal sealed class SaeStepBenchmark : IBenchmark
{
    private const int Width = 768;
    private const int Latents = 16384;
    private const int K = 32;
    private const int Batch = 4096;

    public string Verb => "sae-step";

    public string Summary => "Top-K SAE step, d 768, n 16384, k 32, batch 4096, against dense and against one product [rounds] [threads]";

    public void Run(IReadOnlyList<string> options, TextWriter output)
    {
        int Option(int index, int otherwise) => options.Count > index ? int.Parse(options[index], CultureInfo.InvariantCulture) : otherwise;
        Compute.UseThreads(Option(1, 2));
        foreach (var tied in new[] { false, true })
        {
            Race(tied, Option(0, 3), output);
        }

        Memory(output);
    }

    private static void Race(bool tied, int rounds, TextWriter output)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var options = Options(new SaeVariant.TopK(K, tied), Latents, Batch);
        using var denseState = SaeTrainingState.Initialize(options.Variant, Latents, zeros(Width), seed: 1);
        using var sparseState = SaeTrainingState.Initialize(options.Variant, Latents, zeros(Width), seed: 1);
        using var narrowState = SaeTrainingState.Initialize(options.Variant, Latents, zeros(Width), seed: 1);
        using var dense = new DenseStep(options);
        using var float32Step = new SparseStep(options, bfloat16Products: false);
        using var bfloat16Step = new SparseStep(options, bfloat16Products: true);
        var batch = randn(Batch, Width);
        var seconds = Measure.Interleaved(
            rounds,
            () =>
            {
                // In parts whose memory is reused: fresh pages for the whole would take as long as the product.
                foreach (var part in batch.chunk(8))
                {
                    LinearLayer.Apply(part, denseState.Encoder).Dispose();
                    part.Dispose();
                }
            },
            () =>
            {
                using var grad = enable_grad();
                dense.Run(denseState, batch, 2e-4).Dispose();
            },
            () => float32Step.Run(sparseState, batch, 2e-4).Dispose(),
            () => bfloat16Step.Run(narrowState, batch, 2e-4).Dispose()
        );
        var medians = seconds.Select(Measure.Median).ToArray();
        var table = new MarkdownTable(tied ? "tied" : "untied", "seconds", "over one product", "dense over it");
        foreach (
            var (name, i) in new[]
            {
                "encoder product, float32",
                "dense step, autograd",
                "sparse step, float32 candidates",
                "sparse step, bfloat16 candidates",
            }.Select((n, i) => (n, i))
        )
        {
            table.Add(name, Text(medians[i], "F3"), Text(medians[i] / medians[0]), Text(medians[1] / medians[i]));
        }

        table.Print(output);
        output.WriteLine(
            "candidates a row: "
                + $"float32 {Text(float32Step.CandidatesPerRow, "F1")}, bfloat16 {Text(bfloat16Step.CandidatesPerRow, "F1")} (k = {K})"
        );
        output.WriteLine();
    }

    private static void Memory(TextWriter output)
    {
        var table = new MarkdownTable("after steps", "live tensors", "resident MiB");
        var options = Options(new SaeVariant.TopK(16), 2048, 1024) with { DeadAfter = 4000 };
        using var rows = randn(20_000, 256);
        using var trainer = TopKTrainer.Start(new TensorRows(rows), options);
        for (var step = 0; step <= 1000; step++)
        {
            if (step % 200 == 0)
            {
                var live = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
                table.Add(Text(step, "F0"), Text(live, "F0"), Text(Compute.ResidentBytes / 1048576.0, "F0"));
            }

            trainer.Advance();
        }

        table.Print(output);
    }

    private static SaeTrainingOptions Options(SaeVariant variant, int latents, int batch) =>
        new()
        {
            Variant = variant,
            Latents = latents,
            Steps = 1001,
            BatchSize = batch,
            DeadAfter = 10_000_000,
        };

    private static string Text(double value, string format = "F2") => value.ToString(format, CultureInfo.InvariantCulture);
}
