using System.Runtime.InteropServices;
using ClipSae.Clip.Architecture;
using ClipSae.Tensors;
using ClipSae.Tensors.Cuda;
using TorchSharp;

namespace ClipSae.EmbeddingExtraction;

/// <summary>Page-locked memory of one batch on its way up and down, and the mark behind it.</summary>
internal sealed unsafe class DeviceSlot : IDisposable
{
    /// <summary>Batches on their way at once: one is filled, one computed, one written, and one between them.</summary>
    public const int Round = 4;

    private const long MaxRows = 256L << 20;

    private readonly byte* _pixels;
    private readonly int _imageBytes;
    private readonly torch.Tensor[] _tokens;

    /// <param name="batch">Pictures.</param>
    public DeviceSlot(
        int batch,
        IReadOnlyList<(HookPoint Point, ActivationFile File)> outputs,
        ClipArchitecture architecture,
        torch.Device device
    )
    {
        var side = architecture.ImageResolution;
        _imageBytes = 3 * side * side;
        Pixels = Pinned([batch, side, side, 3], torch.uint8);
        _pixels = (byte*)LargePages.Address(Pixels);
        Rows = [.. outputs.Select(output => Pinned([(long)batch * output.File.RowsPerImage, output.File.Width], output.File.Type))];
        _tokens = [.. outputs.Select(output => Pinned([(long)batch * output.File.RowsPerImage], torch.int64))];
        Done = new CudaEvent(device);
    }

    /// <summary>uint8 [batch, R, R, 3].</summary>
    public torch.Tensor Pixels { get; }

    /// <summary>For each output its rows [batch · rows a picture, width].</summary>
    public IReadOnlyList<torch.Tensor> Rows { get; }

    /// <summary>Set behind the batch's last copy.</summary>
    public CudaEvent Done { get; }

    /// <summary>Pictures a batch: as asked for, else as many as keep a card busy and the rows of one batch within bounds.</summary>
    public static int BatchFor(ExtractionOptions options, IReadOnlyList<(HookPoint Point, ActivationFile File)> outputs)
    {
        if (options.BatchSize > 0)
        {
            return options.BatchSize;
        }

        var bytes = outputs.Sum(output => new TensorLayout("", output.File.Type, [output.File.RowsPerImage, output.File.Width]).Bytes);
        return (int)Math.Clamp(MaxRows / Math.Max(1, bytes), 8, ExtractionOptions.MaxBatch);
    }

    /// <param name="place">Of the picture in the batch.</param>
    /// <param name="picture">[R, R, 3], and more behind it.</param>
    public void Place(int place, byte[] picture) =>
        picture.AsSpan(0, _imageBytes).CopyTo(new Span<byte>(_pixels + ((long)place * _imageBytes), _imageBytes));

    /// <summary>Numbers of rows on the device [n], int64.</summary>
    public torch.Tensor Upload(int output, long[] chosen, torch.Device device)
    {
        var host = _tokens[output].narrow(0, 0, chosen.Length);
        MemoryMarshal.AsBytes(chosen.AsSpan()).CopyTo(host.bytes);
        return host.to(device, non_blocking: true);
    }

    public void Dispose()
    {
        Done.Dispose();
        Pixels.Dispose();
        foreach (var tensor in Rows.Concat(_tokens))
        {
            tensor.Dispose();
        }
    }

    private static torch.Tensor Pinned(long[] shape, torch.ScalarType type)
    {
        using var pageable = torch.empty(shape, dtype: type);
        return pageable.pin_memory().DetachFromDisposeScope();
    }
}
