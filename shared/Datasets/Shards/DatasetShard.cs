using System.Formats.Tar;
using System.Text.Json;

namespace ClipSae.Datasets.Shards;

/// <summary>
/// A piece of a data set as a tar file in WebDataset's layout: for each item <c>KEY.json</c> with its id, captions, label and attributes,
/// then <c>KEY.EXT</c> with the picture as it was. The same items give the same bytes.
/// </summary>
public static class DatasetShard
{
    public const string MediaType = "application/x-tar";

    /// <summary>No picture of a data set that was imported under sensible limits is larger.</summary>
    private const long MaxEntry = 1L << 30;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
    };

    /// <summary>The items in order, read one at a time.</summary>
    /// <exception cref="UserErrorException">The file is no shard, is cut off, or its headers contradict it.</exception>
    public static IEnumerable<(DatasetItem Item, ReadOnlyMemory<byte> ImageBytes)> Read(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        using var reader = new TarReader(stream);
        while (Next(reader, stream, path) is { } described)
        {
            var item = Describe(described.Content, described.Name, path);
            var picture = Next(reader, stream, path);
            if (picture is null || Path.GetFileNameWithoutExtension(picture.Value.Name) != Path.GetFileNameWithoutExtension(described.Name))
            {
                throw Broken(path, $"the picture of {item.Id} is missing");
            }

            yield return (item, picture.Value.Content);
        }
    }

    /// <summary>The items in order without their pictures, which are passed over.</summary>
    /// <exception cref="UserErrorException">The file is no shard, is cut off, or its headers contradict it.</exception>
    public static IEnumerable<DatasetItem> ReadItems(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 12);
        using var reader = new TarReader(stream);
        while (Next(reader, stream, path) is { } described)
        {
            var item = Describe(described.Content, described.Name, path);
            if (NextEntry(reader, stream, path) is null)
            {
                throw Broken(path, $"the picture of {item.Id} is missing");
            }

            yield return item;
        }
    }

    /// <summary>
    /// The items in order with where their pictures are in the file, for whoever reads single ones: <see cref="ReadImage"/>.
    /// </summary>
    /// <exception cref="UserErrorException">The file is no shard, is cut off, or its headers contradict it.</exception>
    public static IEnumerable<(DatasetItem Item, long Offset, int Length)> ReadPlaces(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 12);
        using var reader = new TarReader(stream);
        while (Next(reader, stream, path) is { } described)
        {
            var item = Describe(described.Content, described.Name, path);
            if (NextEntry(reader, stream, path) is not { } picture)
            {
                throw Broken(path, $"the picture of {item.Id} is missing");
            }

            yield return (item, picture.DataOffset, (int)picture.Length);
        }
    }

    /// <summary>The bytes of one picture.</summary>
    /// <param name="offset">Where <see cref="ReadPlaces"/> found it.</param>
    /// <param name="length">Its length, likewise.</param>
    public static byte[] ReadImage(string path, long offset, int length)
    {
        using var file = File.OpenHandle(path);
        if (offset < 0 || length < 0 || length > RandomAccess.GetLength(file) - offset)
        {
            throw Broken(path, "it is shorter than before");
        }

        var content = GC.AllocateUninitializedArray<byte>(length);
        return RandomAccess.Read(file, content, offset) == length ? content : throw Broken(path, "it is shorter than before");
    }

    /// <summary>Writes a shard of its own.</summary>
    /// <param name="path">Made new; whoever hands it on (an artifact store) makes that atomic.</param>
    public static void Write(string path, IEnumerable<(DatasetItem Item, byte[] ImageBytes)> items)
    {
        using var writer = new TarWriter(
            new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 20),
            TarEntryFormat.Ustar
        );
        var index = 0;
        foreach (var (item, picture) in items)
        {
            Append(writer, index++, item, picture);
        }
    }

    /// <summary>Writes items one after the other; the caller owns the stream.</summary>
    internal static void Append(TarWriter writer, int index, DatasetItem item, byte[] picture)
    {
        var key = index.ToString("D8", System.Globalization.CultureInfo.InvariantCulture);
        Append(writer, key + ".json", JsonSerializer.SerializeToUtf8Bytes(item, Json));
        Append(writer, key + Extension(item.Id), picture);
    }

    /// <summary>Writes one file, with nothing in its header but its name and length, so that equal files give equal bytes.</summary>
    public static void Append(TarWriter writer, string name, byte[] content)
    {
        using var data = new MemoryStream(content);
        writer.WriteEntry(
            new UstarTarEntry(TarEntryType.RegularFile, name)
            {
                DataStream = data,
                ModificationTime = DateTimeOffset.UnixEpoch,
                Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead,
                Uid = 0,
                Gid = 0,
                UserName = "",
                GroupName = "",
            }
        );
    }

    private static string Extension(string id)
    {
        var extension = Path.GetExtension(id);
        return
            extension.Length is > 1 and <= 6
            && extension.AsSpan(1).IndexOfAnyExceptInRange('0', 'z') < 0
            && !extension.Equals(".json", StringComparison.OrdinalIgnoreCase)
            ? extension.ToLowerInvariant()
            : ".img";
    }

    private static (string Name, byte[] Content)? Next(TarReader reader, FileStream stream, string path) => Guarded(path, () =>
        {
            if (NextEntry(reader, stream, path) is not { } entry)
            {
                return default((string, byte[])?);
            }

            var content = GC.AllocateUninitializedArray<byte>((int)entry.Length);
            entry.DataStream?.ReadExactly(content);
            return (entry.Name, content);
        });

    private static TarEntry? NextEntry(TarReader reader, FileStream stream, string path)
    {
        var entry = Guarded(path, () => reader.GetNextEntry());
        return
            entry is null
            || (
                entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile
                && entry.Length is >= 0 and <= MaxEntry
                && entry.Length <= stream.Length
            )
            ? entry
            : throw Broken(path, $"entry {entry.Name} claims {entry.Length} bytes of a file of {stream.Length}");
    }

    private static T Guarded<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception error)
            when (error
                    is InvalidDataException
                        or InvalidOperationException
                        or EndOfStreamException
                        or FormatException
                        or ArgumentException
                        or OverflowException
            )
        {
            throw Broken(path, error.Message);
        }
    }

    private static DatasetItem Describe(byte[] content, string name, string path)
    {
        try
        {
            return JsonSerializer.Deserialize<DatasetItem>(content, Json) ?? throw new JsonException("null");
        }
        catch (JsonException error)
        {
            throw Broken(path, $"{name} does not describe an item ({error.Message})");
        }
    }

    private static UserErrorException Broken(string path, string detail) =>
        new($"The shard {path} is damaged: {detail}. Import the data set again.");
}
