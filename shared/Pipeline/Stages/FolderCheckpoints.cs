using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Contracts;

namespace ClipSae.Pipeline;

/// <summary>
/// Checkpoints of one unit in a folder, <c>checkpoints/{key}/{serial:D8}/</c>. A checkpoint is gathered under a temporary name and
/// renamed when it is whole; <c>checkpoint.json</c> in it names its files with their digests.
/// </summary>
public sealed class FolderCheckpoints(string folder, string scratch) : ICheckpoints
{
    private const string Index = "checkpoint.json";
    private readonly string _folder = Path.GetFullPath(folder);
    private readonly string _scratch = Path.GetFullPath(scratch) + Path.DirectorySeparatorChar;

    public Task SaveAsync(IReadOnlyDictionary<string, string> filesByName, JsonObject state, CancellationToken cancel) =>
        Task.Run(() => DiskErrors.Guard(Path.Combine(_folder, Index), null, () => Save(filesByName, state, cancel)), cancel);

    public Task<Checkpoint?> LatestAsync(CancellationToken cancel) => Task.Run(
        () => Saved().Reverse().Select(TryRead).FirstOrDefault(checkpoint => checkpoint is not null),
        cancel);

    private int Save(IReadOnlyDictionary<string, string> filesByName, JsonObject state, CancellationToken cancel)
    {
        var earlier = Saved();
        var serial = earlier.Length == 0 ? 1 : SerialOf(earlier[^1]) + 1;
        var gathering = Path.Combine(_folder, $".{Guid.NewGuid():N}.tmp");
        Directory.CreateDirectory(gathering);
        try
        {
            var files = new JsonObject();
            foreach (var (name, path) in filesByName)
            {
                cancel.ThrowIfCancellationRequested();
                var target = Path.Combine(gathering, Path.GetFileName(name));
                files[Path.GetFileName(name)] = WrittenDigests.Of(path);
                Take(path, target);
            }

            var index = new JsonObject { ["state"] = state.DeepClone(), ["files"] = files };
            AtomicFile.Write(Path.Combine(gathering, Index), JsonSerializer.SerializeToUtf8Bytes(index, ContractJson.Options));
            Directory.Move(gathering, Path.Combine(_folder, serial.ToString("D8", CultureInfo.InvariantCulture)));
        }
        catch
        {
            Directory.Delete(gathering, recursive: true);
            throw;
        }

        foreach (var old in earlier)
        {
            Directory.Delete(old, recursive: true);
        }

        return serial;
    }

    private void Take(string path, string target)
    {
        if (Path.GetFullPath(path).StartsWith(_scratch, StringComparison.Ordinal))
        {
            File.Move(path, target);
        }
        else
        {
            File.Copy(path, target);
        }

        using var written = new FileStream(target, FileMode.Open, FileAccess.ReadWrite);
        written.Flush(flushToDisk: true);
    }

    private string[] Saved()
    {
        if (!Directory.Exists(_folder))
        {
            return [];
        }

        var saved = Directory.GetDirectories(_folder).Where(path => SerialOf(path) > 0).ToArray();
        Array.Sort(saved, StringComparer.Ordinal);
        return saved;
    }

    private static int SerialOf(string path) =>
        int.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out var serial) ? serial : 0;

    // A checkpoint only saves time: a damaged one is passed over, and the unit starts from the one before or from the beginning.
    private static Checkpoint? TryRead(string saved)
    {
        try
        {
            var index = JsonNode.Parse(File.ReadAllBytes(Path.Combine(saved, Index)))!.AsObject();
            var files = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var (name, digest) in index["files"]!.AsObject())
            {
                var path = Path.Combine(saved, name);
                if (Digest.OfFile(path) != digest!.GetValue<string>())
                {
                    return null;
                }

                files[name] = path;
            }

            return new Checkpoint(index["state"]!.DeepClone().AsObject(), files);
        }
        catch (Exception error) when (error is IOException or JsonException or NullReferenceException or InvalidOperationException)
        {
            return null;
        }
    }
}
