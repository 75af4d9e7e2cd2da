using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;
using TorchSharp;

namespace ClipSae.Tensors.Torch;

/// <summary>A file mapped into memory, read within its bounds only.</summary>
internal sealed unsafe class MappedBytes : IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly MemoryMappedFile? _map;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly byte* _start;

    private MappedBytes(string name, SafeFileHandle file, long length, MemoryMappedFile? map)
    {
        _file = file;
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
        SafeFileHandle? file = null;
        try
        {
            file = File.OpenHandle(path);
            var length = RandomAccess.GetLength(file);
            // A mapping must not be empty.
            var map =
                length == 0 ? null : MemoryMappedFile.CreateFromFile(path, FileMode.Open, mapName: null, 0, MemoryMappedFileAccess.Read);
            return new MappedBytes(name, file, length, map);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            file?.Dispose();
            throw new UserErrorException($"{name}: cannot be read: {failure.Message}");
        }
    }

    /// <exception cref="UserErrorException">The bytes are not there.</exception>
    public ReadOnlySpan<byte> Span(long offset, long length) =>
        offset >= 0 && length >= 0 && length <= int.MaxValue && offset <= Length - length
            ? new ReadOnlySpan<byte>(_start + offset, (int)length)
            : throw Refuse(offset, $"the file ends at byte {Length}");

    /// <summary>Copies bytes, from where an entry begins, into a contiguous tensor.</summary>
    /// <param name="nonFinite">Where NaN and infinity are counted; they are not looked for when null.</param>
    public void CopyTo(torch.Tensor tensor, TensorEntry entry, NonFiniteValues? nonFinite) =>
        TensorBytes.Fill([new(tensor, entry.Name, entry.Offset)], _file, Name, nonFinite);

    public UserErrorException Refuse(long offset, string reason) =>
        new($"{Name}: not a usable PyTorch file: {reason} (byte {offset}). Download or export the file again.");

    public void Dispose()
    {
        _view?.SafeMemoryMappedViewHandle.ReleasePointer();
        _view?.Dispose();
        _map?.Dispose();
        _file.Dispose();
    }
}
