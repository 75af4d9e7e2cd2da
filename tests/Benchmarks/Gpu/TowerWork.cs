using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using TorchSharp;

namespace ClipSae.Benchmarks.Gpu;

/// <summary>The image tower by itself, pixels on the device already, bfloat16.</summary>
internal sealed class TowerWork : IGpuWork
{
    /// <summary>FLOP of one image when every token passes every block of ViT-L/14 (science, section 1).</summary>
    public const double FlopPerImage = 162e9;

    public string Name => "tower";

    public IEnumerable<GpuFigure> Measure(torch.Device device, GpuScale scale, GemmPeak peak)
    {
        using var mode = torch.inference_mode();
        using var model = ClipModel.Initialize(scale.Tower, 1);
        model.to(device);
        using var plan = VisionPlan.Compile(model, torch.bfloat16);
        foreach (var size in scale.TowerBatches)
        {
            using var images = torch.randn(
                [size, 3, scale.Tower.ImageResolution, scale.Tower.ImageResolution],
                dtype: torch.bfloat16,
                device: device
            );
            var seconds = Timing.Seconds(device, scale.Rounds, 4, () => plan.EncodeImage(images).Dispose());
            yield return new GpuFigure($"tower/{size}", size / seconds, "images/s", scale.IsTiny ? null : peak.Bfloat16 / FlopPerImage);
        }
    }
}
