using System.Collections.Concurrent;
using System.Globalization;
using System.IO.Hashing;
using System.Numerics;
using TorchSharp;

namespace ClipSae.Tensors.Torch;

/// <summary>
/// A file that <c>torch.save</c> or <c>torch.jit.save</c> wrote, memory-mapped: state dicts and pickled modules in the zip and in the
/// legacy format, and TorchScript archives. It is read without Python: names in the pickle are never imported, and names that weights
/// do not need are refused. Tensors are read when asked for.
/// </summary>
public sealed class TorchFile : ITensorFile
{
    private const int MaxPickleLength = 256 << 20;
    private const long LegacyProtocol = 1001;

    private static readonly BigInteger LegacyMagic = BigInteger.Parse(
        "1950a86a20f9469cfc6c",
        NumberStyles.HexNumber,
        CultureInfo.InvariantCulture
    );

    private readonly MappedBytes _file;
    private readonly IReadOnlyDictionary<string, ZipEntry> _storages;
    private readonly ConcurrentDictionary<string, bool> _checked = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (TorchTensor Tensor, TensorEntry Entry)> _tensors;

    private TorchFile(MappedBytes file, TorchFileKind kind, StateDictSearch search, IReadOnlyDictionary<string, ZipEntry> storages)
    {
        _file = file;
        _storages = storages;
        Kind = kind;
        Modules = search.Modules;
        _tensors = search.Tensors.ToDictionary(
            found => found.Key,
            found => (found.Value, Describe(found.Key, found.Value, storages[found.Value.Storage.Key].Offset)),
            StringComparer.Ordinal
        );
        Entries = _tensors.ToDictionary(found => found.Key, found => found.Value.Entry, StringComparer.Ordinal);
    }

    /// <summary>How the file was written.</summary>
    public TorchFileKind Kind { get; }

    public IReadOnlyDictionary<string, TensorEntry> Entries { get; }

    public IReadOnlyDictionary<string, string> Metadata { get; } = new Dictionary<string, string>();

    public IReadOnlyList<PickledModule> Modules { get; }

    /// <summary>Whether a file begins as PyTorch's do: as a zip archive, or as a pickle.</summary>
    public static bool IsLike(ReadOnlySpan<byte> start) => start is [(byte)'P', (byte)'K', 3, 4, ..] or [0x80, >= 2 and <= 5, ..];

    /// <param name="path">The file.</param>
    /// <param name="name">What to call it in errors; the path when null.</param>
    /// <exception cref="UserErrorException">
    /// The file is unreadable, truncated or contradicts itself, its pickle asks for a name that weights do not need, or it contains no
    /// named tensors.
    /// </exception>
    public static TorchFile Open(string path, string? name = null)
    {
        var file = MappedBytes.Open(path, name ?? path);
        try
        {
            return file.Length >= 4 && file.Span(0, 4)[0] == (byte)'P' ? OpenZip(file) : OpenLegacy(file);
        }
        catch (PickleException failure)
        {
            file.Dispose();
            throw file.Refuse(failure.Offset, $"its pickle cannot be read: {failure.Message}");
        }
        catch (UserErrorException)
        {
            file.Dispose();
            throw;
        }
    }

    public torch.Tensor Read(string name) => Copy(name, nonFinite: null);

    public torch.Tensor Read(string name, NonFiniteValues nonFinite) => Copy(name, nonFinite);

    public void Dispose() => _file.Dispose();

    private torch.Tensor Copy(string name, NonFiniteValues? nonFinite)
    {
        var (tensor, entry) = _tensors.TryGetValue(name, out var known)
            ? known
            : throw new UserErrorException($"{_file.Name}: key '{name}' is missing; the file has {Entries.Count} tensors");
        if (_checked.TryAdd(tensor.Storage.Key, true))
        {
            CheckSum(_file, _storages[tensor.Storage.Key]);
        }

        using var scope = torch.NewDisposeScope();
        if (tensor.Elements == 0 || IsContiguous(tensor))
        {
            var whole = LargePages.Empty(tensor.Shape, entry.ScalarType!.Value);
            _file.CopyTo(whole, entry, nonFinite);
            return whole.MoveToOuterDisposeScope();
        }

        var reach = tensor.Shape.Zip(tensor.Strides).Sum(axis => (axis.First - 1) * axis.Second) + 1;
        var span = LargePages.Empty([reach], entry.ScalarType!.Value);
        _file.CopyTo(span, entry, nonFinite: null);
        // Its offset counts from the beginning of the storage, which is before the first large page.
        var view = span.as_strided(tensor.Shape, tensor.Strides, span.storage_offset()).contiguous();
        nonFinite?.Count(name, view);
        return view.MoveToOuterDisposeScope();
    }

    private static TorchFile OpenZip(MappedBytes file)
    {
        var entries = ZipDirectory.Read(file);
        var root = entries
            .Keys.Where(name => name.EndsWith("/data.pkl", StringComparison.Ordinal))
            .OrderBy(name => name.Length)
            .FirstOrDefault()
            ?? throw file.Refuse(
                0,
                entries.Keys.Any(name => name.EndsWith(".npy", StringComparison.Ordinal))
                    ? "it is an archive of NumPy arrays"
                    : "the archive has no data.pkl; if it packs a folder, unpack it"
            );
        var folder = root[..^"data.pkl".Length];
        if (
            entries.TryGetValue(folder + "byteorder", out var order)
            && order.Length is > 0 and < 16
            && !file.Span(order.Offset, order.Length).StartsWith("little"u8)
        )
        {
            throw file.Refuse(order.Offset, "its numbers are big-endian");
        }

        var script = entries.ContainsKey(folder + "constants.pkl");
        var (at, length) = (entries[root].Offset, entries[root].Length);
        if (length is < 0 or > MaxPickleLength)
        {
            throw file.Refuse(at, length < 0 ? "data.pkl is compressed" : $"data.pkl is {length} bytes long");
        }

        CheckSum(file, entries[root]);
        var search = new StateDictSearch(script, Next(file, ref at));
        var storages = new Dictionary<string, ZipEntry>(StringComparer.Ordinal);
        foreach (var storage in search.Tensors.Values.Select(tensor => tensor.Storage).Distinct())
        {
            if (!entries.TryGetValue($"{folder}data/{storage.Key}", out var entry) || entry.Length < storage.Bytes)
            {
                throw file.Refuse(
                    entry?.Offset ?? 0,
                    $"storage '{storage.Key}' should have {storage.Bytes} bytes, the archive has {Math.Max(0, entry?.Length ?? 0)}"
                );
            }

            storages[storage.Key] = entry;
        }

        return Create(file, script ? TorchFileKind.Script : TorchFileKind.Zip, search, storages);
    }

    // Pickles of magic number, protocol, system, object and list of storages, one behind the other; then the storages, each with its
    // length.
    private static TorchFile OpenLegacy(MappedBytes file)
    {
        long at = 0;
        if (!Equals(Next(file, ref at), LegacyMagic) || !Equals(Next(file, ref at), LegacyProtocol))
        {
            throw file.Refuse(0, "it is neither a zip archive nor a pickle of torch.save");
        }

        if (Next(file, ref at) is PickleDict system && system["little_endian"] is false)
        {
            throw file.Refuse(at, "its numbers are big-endian");
        }

        var world = new TorchWorld();
        var search = new StateDictSearch(isScript: false, Next(file, ref at, world));
        if (Next(file, ref at) is not List<object?> keys)
        {
            throw file.Refuse(at, "the list of storages is missing");
        }

        var storages = new Dictionary<string, ZipEntry>(StringComparer.Ordinal);
        foreach (var key in keys)
        {
            var elements = BitConverter.ToInt64(file.Span(at, 8));
            if (
                !world.Storages.TryGetValue(key as string ?? "", out var storage)
                || elements != storage.Elements
                || storage.Bytes > file.Length - at - 8
                || !storages.TryAdd(storage.Key, new ZipEntry(storage.Key, at + 8, (long)storage.Bytes, Crc: 0, IsTight: true))
            )
            {
                throw file.Refuse(at, $"storage '{key}' of {elements} elements is not the one that the weights ask for");
            }

            at += 8 + (long)storage.Bytes;
        }

        return world.Storages.Keys.FirstOrDefault(key => !storages.ContainsKey(key)) is { } missing
            ? throw file.Refuse(at, $"storage '{missing}' is missing")
            : Create(file, TorchFileKind.Legacy, search, storages);
    }

    private static TorchFile Create(
        MappedBytes file,
        TorchFileKind kind,
        StateDictSearch search,
        IReadOnlyDictionary<string, ZipEntry> storages
    )
    {
        // Weights may be tied, but a small file in which thousands of tensors share one storage would fill the memory.
        var bytes = search.Tensors.Values.Aggregate(Int128.Zero, (sum, tensor) =>
            sum + ((Int128)tensor.Elements * SafetensorsDtype.Size(tensor.Dtype)!.Value)
        );
        return search.Tensors.Count == 0 ? throw file.Refuse(0, "it contains no named tensors")
            : bytes > (Int128)file.Length * 2
                ? throw file.Refuse(0, $"its {search.Tensors.Count} tensors take {bytes} bytes, the file has {file.Length}")
            : new TorchFile(file, kind, search, storages);
    }

    // A checksum takes longer than the read itself. Where the headers leave no doubt where a large content is, it is left out.
    private static void CheckSum(MappedBytes file, ZipEntry entry)
    {
        const long Small = 1 << 20;
        const long Chunk = 64 << 20;
        if (entry.Crc == 0 || (entry.IsTight && entry.Length > Small))
        {
            return;
        }

        var crc = new Crc32();
        for (long done = 0; done < entry.Length; done += Chunk)
        {
            crc.Append(file.Span(entry.Offset + done, Math.Min(Chunk, entry.Length - done)));
        }

        if (crc.GetCurrentHashAsUInt32() != entry.Crc)
        {
            throw file.Refuse(entry.Offset, $"entry '{entry.Name}' is not what its checksum says; the file is damaged");
        }
    }

    private static object? Next(MappedBytes file, ref long at, TorchWorld? world = null)
    {
        var machine = new PickleMachine(file.Span(at, Math.Min(file.Length - at, MaxPickleLength)), world ?? new TorchWorld());
        try
        {
            var value = machine.Run();
            at += machine.Position;
            return value is PickleGlobal name ? throw TorchNames.Refuse(name) : value;
        }
        catch (PickleException failure)
        {
            throw new PickleException(at + failure.Offset, failure.Message);
        }
    }

    private static TensorEntry Describe(string name, TorchTensor tensor, long storage)
    {
        var size = SafetensorsDtype.Size(tensor.Dtype)!.Value;
        return new TensorEntry(name, tensor.Dtype, tensor.Shape, storage + (tensor.Offset * size), tensor.Elements * size);
    }

    private static bool IsContiguous(TorchTensor tensor)
    {
        long expected = 1;
        for (var axis = tensor.Shape.Length - 1; axis >= 0; axis--)
        {
            if (tensor.Shape[axis] != 1 && tensor.Strides[axis] != expected)
            {
                return false;
            }

            expected *= tensor.Shape[axis];
        }

        return true;
    }
}
