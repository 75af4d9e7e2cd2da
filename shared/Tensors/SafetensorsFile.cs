using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;
using TorchSharp;

namespace ClipSae.Tensors;

/// <summary>
/// A safetensors file, memory-mapped: opening costs the header, reading a tensor costs its bytes once. The header is
/// checked wholly before anything is read, so a truncated or lying file is refused and never read past its end.
/// </summary>
public sealed class SafetensorsFile : ITensorFile
{
    private const int LengthPrefix = 8;

    private readonly string _path;
    private readonly SafeFileHandle _file;
    private readonly MemoryMappedFile? _map;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly SafetensorsHeader _header;

    private SafetensorsFile(string path, SafeFileHandle file, SafetensorsHeader header, MemoryMappedFile? map)
    {
        _path = path;
        _file = file;
        _header = header;
        _map = map;
        _view = map?.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
    }

    /// <summary>The file's <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <summary>Every tensor by name.</summary>
    public IReadOnlyDictionary<string, TensorEntry> Entries => _header.Entries;

    /// <param name="path">The file.</param>
    /// <param name="name">What to call it in errors; the path when null.</param>
    /// <exception cref="UserErrorException">The file is missing, unreadable, truncated, or its header contradicts it; names file and
    /// key.</exception>
    public static SafetensorsFile Open(string path, string? name = null)
    {
        name ??= path;
        SafeFileHandle? file = null;
        try
        {
            file = File.OpenHandle(path);
            var parsed = ReadHeader(name, file, RandomAccess.GetLength(file));
            var map = MemoryMappedFile.CreateFromFile(path, FileMode.Open, mapName: null, 0, MemoryMappedFileAccess.Read);
            return new SafetensorsFile(name, file, parsed, map);
        }
        catch (Exception failure)
        {
            file?.Dispose();
            UserErrorException.ThrowIf(failure is IOException or UnauthorizedAccessException, $"{name}: cannot be read: {failure.Message}");

            throw;
        }
    }

    /// <summary>Copies a tensor out of the file; the caller owns it.</summary>
    /// <exception cref="UserErrorException">No such key, or an element type TorchSharp does not know.</exception>
    public torch.Tensor Read(string name)
    {
        var entry = Entry(name);
        return Copy(entry, entry.Offset, [.. entry.Shape]);
    }

    public torch.Tensor Read(string name, NonFiniteValues nonFinite) => ReadAll([name], nonFinite)[0];

    public IReadOnlyList<torch.Tensor> ReadAll(IReadOnlyList<string> names, NonFiniteValues nonFinite)
    {
        using var scope = torch.NewDisposeScope();
        var targets = names
            .Select(Entry)
            .Select(entry => new ReadTarget(Empty(entry, [.. entry.Shape]), entry.Name, entry.Offset))
            .ToList();
        TensorBytes.Fill(targets, _file, _path, nonFinite);
        return [.. targets.Select(target => target.Tensor.MoveToOuterDisposeScope())];
    }

    /// <summary>
    /// Copies rows <paramref name="start"/> … of a tensor's first axis, so that files larger than memory can be streamed.
    /// </summary>
    /// <exception cref="UserErrorException">No such key, or rows that are not there.</exception>
    public torch.Tensor ReadRows(string name, long start, long count)
    {
        var entry = Entry(name);
        UserErrorException.ThrowIf(
            entry.Shape.Count == 0 || start < 0 || count < 0 || start > entry.Shape[0] - count,
            $"{_path}: key '{name}' is {entry}; it has no rows {start} to {start + count}"
        );

        var rowBytes = entry.Shape[0] == 0 ? 0 : entry.Length / entry.Shape[0];
        return Copy(entry, entry.Offset + (start * rowBytes), [count, .. entry.Shape.Skip(1)]);
    }

    /// <summary>Copies single rows of a tensor's first axis, in the order given; for samples of files larger than memory.</summary>
    /// <exception cref="UserErrorException">No such key, or a row that is not there.</exception>
    public unsafe torch.Tensor GatherRows(string name, ReadOnlySpan<long> rows)
    {
        var entry = Entry(name);
        var tensor = Empty(entry, [rows.Length, .. entry.Shape.Skip(1)]);
        if (tensor.NumberOfElements == 0)
        {
            return tensor;
        }

        var target = tensor.bytes;
        var rowBytes = target.Length / rows.Length;
        byte* source = null;
        _view!.SafeMemoryMappedViewHandle.AcquirePointer(ref source);
        try
        {
            source += _view.PointerOffset + entry.Offset;
            for (var i = 0; i < rows.Length; i++)
            {
                UserErrorException.ThrowIf(
                    rows[i] < 0 || rows[i] >= entry.Shape[0],
                    $"{_path}: key '{entry.Name}' is {entry}; it has no row {rows[i]}"
                );

                new ReadOnlySpan<byte>(source + (rows[i] * rowBytes), rowBytes).CopyTo(target[(i * rowBytes)..]);
            }
        }
        finally
        {
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
        }

        return tensor;
    }

    /// <summary>Like <see cref="Read(string)"/>, but a missing key is an answer, not an error.</summary>
    public bool TryRead(string name, out torch.Tensor tensor)
    {
        var known = Entries.ContainsKey(name);
        tensor = known ? Read(name) : null!;
        return known;
    }

    public void Dispose()
    {
        _file.Dispose();
        _view?.Dispose();
        _map?.Dispose();
    }

    private static SafetensorsHeader ReadHeader(string path, SafeFileHandle file, long length)
    {
        Span<byte> prefix = stackalloc byte[LengthPrefix];
        if (length < LengthPrefix || RandomAccess.Read(file, prefix, 0) < LengthPrefix)
        {
            throw SafetensorsHeader.Refuse(path, $"{length} bytes are too few for a header");
        }

        var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerLength > (ulong)(length - LengthPrefix) || headerLength > SafetensorsHeader.MaxHeaderLength)
        {
            throw SafetensorsHeader.Refuse(path, $"it claims a header of {headerLength} bytes, but is {length} bytes long");
        }

        var json = new byte[headerLength];
        for (var done = 0; done < json.Length; )
        {
            var read = RandomAccess.Read(file, json.AsSpan(done), LengthPrefix + done);
            done += read > 0 ? read : throw SafetensorsHeader.Refuse(path, "the header ends early");
        }

        return SafetensorsHeader.Parse(path, json, LengthPrefix + json.Length, length);
    }

    private TensorEntry Entry(string name) =>
        Entries.TryGetValue(name, out var entry)
            ? entry
            : throw new UserErrorException($"{_path}: key '{name}' is missing; the file has {Entries.Count} tensors{Nearest(name)}");

    private string Nearest(string name)
    {
        var ending = name[(name.LastIndexOf('.') + 1)..];
        var like = Entries.Keys.Where(k => k.EndsWith(ending, StringComparison.Ordinal)).Order(StringComparer.Ordinal).FirstOrDefault();
        return like is null ? "" : $", for example '{like}'";
    }

    private torch.Tensor Empty(TensorEntry entry, long[] shape) =>
        LargePages.Empty(
            shape,
            entry.ScalarType
                ?? throw new UserErrorException(
                    $"{_path}: key '{entry.Name}' has element type {entry.Dtype}, which is not supported; convert it to F32"
                )
        );

    private torch.Tensor Copy(TensorEntry entry, long offset, long[] shape)
    {
        var tensor = Empty(entry, shape);
        if (tensor.NumberOfElements == 0)
        {
            return tensor;
        }

        TensorBytes.Fill([new(tensor, entry.Name, offset)], _file, _path, nonFinite: null);
        return tensor;
    }
}
