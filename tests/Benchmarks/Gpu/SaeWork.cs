using ClipSae.Sae;
using ClipSae.Sae.Cuda;
using ClipSae.Sae.Steps;
using TorchSharp;

namespace ClipSae.Benchmarks.Gpu;

/// <summary>One training step of a Top-K sparse autoencoder, rows on the device already.</summary>
internal sealed class SaeWork : IGpuWork
{
    public string Name => "sae";

    public IEnumerable<GpuFigure> Measure(torch.Device device, GpuScale scale, GemmPeak peak)
    {
        foreach (var (width, latents, k, batch) in scale.Autoencoders)
        {
            using var scope = torch.NewDisposeScope();
            var options = new SaeTrainingOptions
            {
                Variant = new SaeVariant.TopK(k),
                Latents = latents,
                Steps = 1001,
                BatchSize = batch,
                DeadAfter = 10_000_000,
            };
            using var state = SaeTrainingState.Initialize(options.Variant, latents, torch.zeros(width), seed: 1, device);
            using ISaeStep step = device.type == DeviceType.CUDA ? new CudaStep(options, width, device) : new DenseStep(options);
            var rows = torch.randn([batch, width], device: device);
            var seconds = Timing.Seconds(device, scale.Rounds, 2, () => step.Run(state, rows, 2e-4).Dispose());
            yield return new GpuFigure(
                $"sae/{width}/{latents}/{k}/{batch}",
                batch / seconds,
                "rows/s",
                peak.Bfloat16 / (2.0 * width * latents)
            );
        }
    }
}
