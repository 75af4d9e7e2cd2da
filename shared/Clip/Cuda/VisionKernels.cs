using System.Globalization;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Preprocessing;
using ClipSae.Tensors;
using ClipSae.Tensors.Cuda;
using TorchSharp;

namespace ClipSae.Clip.Cuda;

/// <summary>
/// The kernels of <c>vision.cu</c>, compiled for one model on one device. What each does is said there; here are their launches.
/// </summary>
internal sealed class VisionKernels : IDisposable
{
    private const int Threads = 256;
    private const int Warp = 32;
    private const int MaxBlocks = 65_535;

    private readonly CudaModule _module;
    private readonly ClipArchitecture _architecture;
    private readonly torch.ScalarType _type;
    private readonly torch.Tensor _levels;

    /// <exception cref="UserErrorException">They do not compile here.</exception>
    public VisionKernels(torch.Device device, ClipArchitecture architecture, torch.ScalarType type)
    {
        (_architecture, _type) = (architecture, type);
        string Text(FormattableString definition) => definition.ToString(CultureInfo.InvariantCulture);
        string[] definitions =
        [
            Text($"WIDTH={architecture.VisionWidth}"),
            Text($"RESOLUTION={architecture.ImageResolution}"),
            Text($"PATCH={architecture.PatchSize}"),
            Text($"NARROW={(type == torch.bfloat16 ? 1 : 0)}"),
        ];
        _module = CudaModule.Compile(
            device,
            typeof(VisionKernels),
            "vision.cu",
            definitions,
            "the vision tower's kernels",
            "compute on the CPU with --device cpu"
        );

        using var scope = torch.NewDisposeScope();
        _levels = AlignedTensor
            .Of(PixelNormalization.OpenAi.Levels, PixelNormalization.OpenAi.Levels.Length)
            .to(device)
            .DetachFromDisposeScope();
    }

    /// <summary>LayerNorm of <c>x + missing</c>, without scale and bias.</summary>
    /// <param name="x">[rows, width], contiguous.</param>
    /// <param name="missing">[width], float32.</param>
    public torch.Tensor Normalize(torch.Tensor x, torch.Tensor missing)
    {
        var y = torch.empty_like(x);
        var rows = (int)x.shape[0];
        _module.Launch("normalize", (rows + (Threads / Warp) - 1) / (Threads / Warp), Threads, 0, x, missing, y, rows);
        return y;
    }

    /// <summary>Normalised patches [images, grid², 3·patch²] of the bytes of pictures.</summary>
    /// <param name="pixels">uint8 [images, 3, R, R] or [images, R, R, 3], on the device.</param>
    /// <exception cref="ArgumentException">The pictures have another size than the model takes.</exception>
    public torch.Tensor CutPatches(torch.Tensor pixels)
    {
        var (images, side) = (pixels.shape[0], _architecture.ImageResolution);
        var isPlanar = pixels.shape.AsSpan(1).SequenceEqual([3, side, side]);
        if (!isPlanar && !pixels.shape.AsSpan(1).SequenceEqual([side, side, 3]))
        {
            throw new ArgumentException(
                $"images are [{string.Join(", ", pixels.shape)}]; "
                    + $"the model takes bytes as [batch, 3, {side}, {side}] or [batch, {side}, {side}, 3]"
            );
        }

        var patches = torch.empty(
            [images, _architecture.Grid * _architecture.Grid, 3 * _architecture.PatchSize * _architecture.PatchSize],
            dtype: _type,
            device: pixels.device
        );
        var values = patches.NumberOfElements;
        _module.Launch(
            "cut_patches",
            Math.Min(MaxBlocks, (values + Threads - 1) / Threads),
            Threads,
            0,
            pixels,
            _levels,
            patches,
            values,
            isPlanar ? side * side : 1,
            isPlanar ? 1 : 3
        );
        return patches;
    }

    public void Dispose()
    {
        _levels.Dispose();
        _module.Dispose();
    }
}
