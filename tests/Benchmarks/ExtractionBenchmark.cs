using System.Globalization;
using ClipSae.Clip;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.Benchmarks;

/// <summary>
/// Images to embeddings with the ViT-L/14 shape and random weights, whole model, against the rate of one large matrix
/// product of the same type measured in turns with it. Options: batch (8) and rounds (5).
/// </summary>
internal sealed class ExtractionBenchmark : IBenchmark
{
    private const double FlopPerImage = 162e9;
    private const int GemmSide = 4096;

    public string Verb => "extraction";

    public string Summary => "ViT-L/14 forward against the GEMM rate, float32 and bfloat16 [batch] [rounds] [threads]";

    public void Run(IReadOnlyList<string> options, TextWriter output)
    {
        int Option(int index, int otherwise) => options.Count > index ? int.Parse(options[index], CultureInfo.InvariantCulture) : otherwise;
        var (batch, rounds) = (Option(0, 8), Option(1, 5));
        Compute.UseThreads(Option(2, 2));
        var table = new MarkdownTable("type", "GEMM GFLOP/s", "model GFLOP/s", "ratio", "images/s");
        foreach (var type in new[] { torch.float32, torch.bfloat16 })
        {
            using var scope = torch.NewDisposeScope();
            using var mode = torch.inference_mode();
            using var model = ClipModel.Initialize(ClipArchitecture.VitL14, 1);
            using var plan = VisionPlan.Compile(model, type);
            var images = torch.randn(batch, 3, 224, 224, dtype: type);
            var (a, b) = (torch.randn(GemmSide, GemmSide, dtype: type), torch.randn(GemmSide, GemmSide, dtype: type));
            var seconds = Measure.Interleaved(rounds, () => a.mm(b).Dispose(), () => plan.EncodeImage(images).Dispose());
            var gemm = 2 * Math.Pow(GemmSide, 3) / Measure.Median(seconds[0]) / 1e9;
            var rate = batch * FlopPerImage / Measure.Median(seconds[1]) / 1e9;
            table.Add(type.ToString(), Text(gemm), Text(rate), (rate / gemm).ToString("P1", CultureInfo.InvariantCulture), Text(batch / Measure.Median(seconds[1]), "F2"));
        }

        table.Print(output);
    }

    private static string Text(double value, string format = "F0") => value.ToString(format, CultureInfo.InvariantCulture);
}
