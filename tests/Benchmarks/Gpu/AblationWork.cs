using ClipSae.Clip.Architecture;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.Sae;
using ClipSae.Sae.Encoding;
using TorchSharp;

namespace ClipSae.Benchmarks.Gpu;

/// <summary>
/// What curation spends its time on: pictures through the tower in bfloat16 with features of an autoencoder switched off at every token,
/// bytes on the processor.
/// </summary>
internal sealed class AblationWork : IGpuWork
{
    private const int Batch = 128;

    public string Name => "ablation";

    public IEnumerable<GpuFigure> Measure(torch.Device device, GpuScale scale, GemmPeak peak)
    {
        using var noGrad = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        using var model = ClipModel.Initialize(scale.Tower, 1);
        model.to(device);
        using var plan = VisionPlan.Compile(model, torch.bfloat16);
        var (images, side, layer) = (scale.IsTiny ? 8 : 1024, scale.Tower.ImageResolution, scale.Tower.VisionLayers / 2);
        var pixels = torch.randint(0, 256, [images, 3, side, side], dtype: torch.uint8);
        double Rate(Action<Hooks> intervene) => images / Timing.Seconds(device, scale.Rounds, 1, () =>
            {
                for (long from = 0; from < images; from += Batch)
                {
                    using var step = torch.NewDisposeScope();
                    var hooks = new Hooks();
                    intervene(hooks);
                    _ = plan.EncodeImage(pixels.narrow(0, from, Math.Min(Batch, images - from)).to(device), hooks).argmax(1).cpu();
                }
            });
        var bare = Rate(_ => { });
        yield return new GpuFigure("ablation/nothing", bare, "images/s");
        foreach (
            var (point, width) in new (HookPoint, int)[]
            {
                (new HookPoint.Residual(layer), scale.Tower.VisionWidth),
                (new HookPoint.Mlp(layer), 4 * scale.Tower.VisionWidth),
            }
        )
        {
            using var sae = Autoencoder(width, 8 * width, device);
            int[] features = [.. Enumerable.Range(0, width)];
            yield return new GpuFigure(
                $"ablation/{point}",
                Rate(hooks => hooks.Replace(point, x => sae.Ablate(x.to(torch.float32), features).to(x.dtype))),
                "images/s",
                bare
            );
        }
    }

    private static SparseAutoencoder Autoencoder(int width, int latents, torch.Device device)
    {
        var rows = torch.randn([latents, width], device: device);
        rows.div_(rows.norm(1, true, 2));
        return new SparseAutoencoder(
            new SaeVariant.TopK(32),
            rows,
            rows.clone(),
            torch.zeros([latents], device: device),
            torch.zeros([width], device: device),
            inputScale: 1
        );
    }
}
