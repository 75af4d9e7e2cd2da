using System.IO.MemoryMappedFiles;
using ClipSae.Contracts;
using TorchSharp;

namespace ClipSae.Tensors;

/// <summary>A file mapped into memory, read within its bounds only.</summary>
internal sealed unsafe class MappedBytes : IDisposable
{
    private const long CopyChunk = 1L << 30;

    private readonly MemoryMappedFile? _map;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly byte* _start;

    private MappedBytes(string name, long length, MemoryMappedFile? map)
    {
        Name = name;
        Length = length;
        _map = map;
        _view = map?.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        _view?.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        _start += _view?.PointerOffset ?? 0;
    }

    /// <summary>What to call the file in errors.</summary>
    public string Name { get; }

    public long Length { get; }

    /// <exception cref="UserErrorException">The file is missing or unreadable.</exception>
    public static MappedBytes Open(string path, string name)
    {
        try
        {
            var length = new FileInfo(path).Length;
            // A mapping must not be empty.
            var map = length == 0 ? null : MemoryMappedFile.CreateFromFile(path, FileMode.Open, mapName: null, 0, MemoryMappedFileAccess.Read);
            return new MappedBytes(name, length, map);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"{name}: cannot be read: {failure.Message}");
        }
    }

    /// <exception cref="UserErrorException">The bytes are not there.</exception>
    public ReadOnlySpan<byte> Span(long offset, long length) => offset >= 0 && length >= 0 && length <= int.MaxValue && offset <= Length - length
        ? new ReadOnlySpan<byte>(_start + offset, (int)length)
        : throw Refuse(offset, $"the file ends at byte {Length}");

    /// <summary>Copies bytes into a contiguous tensor.</summary>
    public void CopyTo(torch.Tensor tensor, long offset)
    {
        using var scope = torch.NewDisposeScope();
        var flat = tensor.view(-1);
        var elementsAtOnce = CopyChunk / tensor.ElementSize;
        for (long done = 0; done < flat.NumberOfElements; done += elementsAtOnce)
        {
            var target = flat.narrow(0, done, Math.Min(elementsAtOnce, flat.NumberOfElements - done)).bytes;
            Span(offset + (done * tensor.ElementSize), target.Length).CopyTo(target);
        }
    }

    public UserErrorException Refuse(long offset, string reason) =>
        new($"{Name}: not a usable PyTorch file: {reason} (byte {offset}). Fetch or export the file again.");

    public void Dispose()
    {
        _view?.SafeMemoryMappedViewHandle.ReleasePointer();
        _view?.Dispose();
        _map?.Dispose();
    }
}
