using System.Text.Json;
using TorchSharp;

namespace ClipSae.Tensors.Files;

/// <summary>A checkpoint in several files, as an index (<c>model.safetensors.index.json</c>) says which key is in which.</summary>
public sealed class ShardedTensors : ITensorFile
{
    private const string Map = "weight_map";
    private const long MaxIndexLength = 64 << 20;
    private const int MaxFiles = 10_000;

    private readonly Dictionary<string, ITensorFile> _files;
    private readonly Dictionary<string, ITensorFile> _fileOf;

    private ShardedTensors(Dictionary<string, ITensorFile> files, Dictionary<string, ITensorFile> fileOf)
    {
        _files = files;
        _fileOf = fileOf;
        Entries = fileOf.ToDictionary(key => key.Key, key => key.Value.Entries[key.Key], StringComparer.Ordinal);
        Metadata = files.Count > 0 ? files.First().Value.Metadata : new Dictionary<string, string>();
    }

    public IReadOnlyDictionary<string, TensorEntry> Entries { get; }

    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>
    /// Whether a file is such an index, whatever it is called: JSON from its beginning, where files of tensors have a number or a magic.
    /// </summary>
    public static bool IsIndex(string path)
    {
        byte[] start;
        try
        {
            start = ForeignFile.Start(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // Who opens it next says why it cannot be read.
            return false;
        }

        // The length that a safetensors file begins with has zeros in its upper bytes.
        return start.AsSpan(0, Math.Min(9, start.Length)) is var head
            && head.TrimStart(" \t\r\n"u8) is [(byte)'{', ..]
            && !head.Contains((byte)0);
    }

    /// <exception cref="UserErrorException">The index or a file of it is missing or unusable, or a key is not where the index says; names
    /// file and key.</exception>
    public static ShardedTensors Open(string index)
    {
        var files = new Dictionary<string, ITensorFile>(StringComparer.Ordinal);
        try
        {
            var fileOf = new Dictionary<string, ITensorFile>(StringComparer.Ordinal);
            foreach (var (key, name) in ReadIndex(index))
            {
                if (!files.TryGetValue(name, out var file))
                {
                    files[name] = file = Shard(index, name, files.Count);
                }

                fileOf[key] = file.Entries.ContainsKey(key)
                    ? file
                    : throw new UserErrorException($"{index}: key '{key}' should be in {name}, but is not; download both files again");
            }

            if (files.Values.SelectMany(file => file.Entries.Keys).FirstOrDefault(key => !fileOf.ContainsKey(key)) is { } unknown)
            {
                throw new UserErrorException($"{index}: key '{unknown}' is in the files but not in the index; download both again");
            }

            return new ShardedTensors(files, fileOf);
        }
        catch (UserErrorException)
        {
            Close(files.Values);
            throw;
        }
    }

    public torch.Tensor Read(string name) => FileOf(name).Read(name);

    public torch.Tensor Read(string name, NonFiniteValues nonFinite) => FileOf(name).Read(name, nonFinite);

    public void Dispose() => Close(_files.Values);

    private ITensorFile FileOf(string name) =>
        _fileOf.TryGetValue(name, out var file)
            ? file
            : throw new UserErrorException($"key '{name}' is missing; the checkpoint has {Entries.Count} tensors in {_files.Count} files");

    private static ITensorFile Shard(string index, string name, int opened)
    {
        // The index comes from outside: it must not lead to files elsewhere.
        UserErrorException.ThrowIf(
            name != Path.GetFileName(name) || name is "" or "." or "..",
            $"{index}: '{name}' is not the name of a file next to it"
        );

        return opened < MaxFiles
            ? TensorFiles.Open(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(index))!, name))
            : throw new UserErrorException($"{index}: it names more than {MaxFiles} files");
    }

    private static List<(string Key, string File)> ReadIndex(string index)
    {
        try
        {
            UserErrorException.ThrowIf(new FileInfo(index).Length > MaxIndexLength, $"{index}: too long for an index of tensors");

            var bytes = File.ReadAllBytes(index);
            JsonTexts.Require(bytes);
            using var json = JsonDocument.Parse(bytes);
            return
            [
                .. (
                    json.RootElement.TryGetProperty(Map, out var map)
                        ? map
                        : throw new UserErrorException(
                            $"{index}: {ForeignFile.Recognise(bytes.AsSpan(0, Math.Min(bytes.Length, ForeignFile.PrefixLength)))} "
                                + $"(an index of tensors has the key '{Map}')"
                        )
                )
                    .EnumerateObject()
                    .Select(entry => (entry.Name, entry.Value.GetString() ?? "")),
            ];
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException)
        {
            throw new UserErrorException($"{index}: cannot be read as an index of tensors ('{Map}' lists files by key): {failure.Message}");
        }
    }

    private static void Close(IEnumerable<ITensorFile> files)
    {
        foreach (var file in files)
        {
            file.Dispose();
        }
    }
}
