using System.Globalization;
using ClipSae.Sae;
using ClipSae.Sae.Cuda;
using ClipSae.Sae.Training;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Benchmarks;

/// <summary>
/// The autoencoder's step on a GPU at four sizes: the kernels, the dense formulation in float32, and the one product that the maths needs, the
/// encoder's in bfloat16, in turns. Then the other variants at the first size.
/// </summary>
internal sealed class SaeDeviceBenchmark : IBenchmark
{
    private const int Steps = 10;

    private static readonly (int Width, int Latents, int K, int Batch)[] Sizes =
        [(768, 16384, 32, 4096), (1024, 16384, 32, 8192), (1024, 32768, 64, 16384), (4096, 32768, 64, 4096)];

    public string Verb => "sae-device";

    public string Summary => "the SAE step on a GPU at four sizes, against dense and against one product [device cuda:0] [rounds 3]";

    public void Run(IReadOnlyList<string> options, TextWriter output)
    {
        var device = options.Count > 0 ? options[0] : "cuda:0";
        if (!cuda.is_available())
        {
            output.WriteLine("sae-device: skipped, there is no CUDA device");
            return;
        }

        var rounds = options.Count > 1 ? int.Parse(options[1], CultureInfo.InvariantCulture) : 3;
        var table = new MarkdownTable("variant", "d", "n", "k", "batch", "step, ms", "k rows/s", "dense float32, ms", "encoder product bf16, ms", "GiB");
        foreach (var (width, latents, k, batch) in Sizes)
        {
            Add(new SaeVariant.TopK(k), width, latents, batch, Compute.Device(device), rounds, table);
        }

        foreach (var name in SaeVariant.Names.Skip(1))
        {
            Add(SaeVariant.Parse(name, 32)!, 768, 16384, 4096, Compute.Device(device), rounds, table);
        }

        table.Print(output);
    }

    private static void Add(SaeVariant variant, int width, int latents, int batch, Device device, int rounds, MarkdownTable table)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var options = new SaeTrainingOptions { Variant = variant, Latents = latents, Steps = 1001, BatchSize = batch, DeadAfter = 1_000_000_000 };
        using var state = SaeTrainingState.Initialize(variant, latents, zeros(width), seed: 1, device);
        using var kernels = new CudaStep(options, width, device);
        using var dense = new DenseStep(options);
        var x = randn(batch, width, device: device);
        var (a, b) = (x.to(bfloat16), state.Encoder.to(bfloat16));
        void Timed(Action step)
        {
            for (var i = 0; i < Steps; i++)
            {
                step();
            }

            cuda.synchronize();
        }

        var seconds = Measure.Interleaved(
            rounds,
            () => Timed(() => kernels.Run(state, x, 2e-4).Dispose()),
            () => Timed(() => LinearLayer.Apply(a, b).Dispose()),
            () =>
            {
                using var grad = enable_grad();
                dense.Run(state, x, 2e-4).Dispose();
                cuda.synchronize();
            });
        var step = Measure.Median(seconds[0]) / Steps;
        string Text(double value, string format = "F2") => value.ToString(format, CultureInfo.InvariantCulture);
        table.Add(
            variant.Name, Text(width, "F0"), Text(latents, "F0"), Text(variant.K, "F0"), Text(batch, "F0"), Text(step * 1000), Text(batch / step / 1000, "F0"),
            Text(Measure.Median(seconds[2]) * 1000), Text(Measure.Median(seconds[1]) / Steps * 1000), Text((Compute.UsedBytes(device.ToString()) ?? 0) / 1073741824.0, "F1"));
    }
}
