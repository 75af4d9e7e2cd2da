using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using ClipSae.Artifacts;
using ClipSae.Contracts;

namespace ClipSae.Pipeline;

/// <summary>
/// Event streams in a folder: one append is one file <c>runs/{run}/events/{sequence:D8}.json</c>, named by its first event and
/// created only where no file has that name. Any number of processes may write to one folder.
/// </summary>
public sealed class FolderEventStore(string root) : IEventStore
{
    private readonly string _runs = Path.Combine(Path.GetFullPath(root), "runs");

    // Ends of appends seen so far; a version that is none would leave a hole or start in the middle of an append.
    private readonly ConcurrentDictionary<string, long> _known = new(StringComparer.Ordinal);

    public async Task<bool> TryAppendAsync(string run, long version, IReadOnlyList<RunEvent> events, CancellationToken cancel = default)
    {
        RunName.Require(run);
        ArgumentOutOfRangeException.ThrowIfZero(events.Count);
        if (version != 0 && _known.GetValueOrDefault(run) != version)
        {
            var stored = await ReadAsync(run, 0, cancel);
            if (stored.Count != version)
            {
                return false;
            }
        }

        var path = PathOf(run, version + 1);
        if (!await Task.Run(() => AtomicFile.TryCreate(path, JsonSerializer.SerializeToUtf8Bytes(events, ContractJson.Options)), cancel))
        {
            return false;
        }

        _known[run] = version + events.Count;
        return true;
    }

    public Task<IReadOnlyList<StoredEvent>> ReadAsync(string run, long version = 0, CancellationToken cancel = default)
    {
        RunName.Require(run);
        return Task.Run(() => Read(run, version, cancel), cancel);
    }

    public Task<IReadOnlyList<string>> ListRunsAsync(CancellationToken cancel = default) => Task.FromResult<IReadOnlyList<string>>(
        Directory.Exists(_runs)
            ? [.. Directory.GetDirectories(_runs).Where(run => File.Exists(PathOf(Path.GetFileName(run), 1))).Select(run => Path.GetFileName(run)).Order(StringComparer.Ordinal)]
            : []);

    private IReadOnlyList<StoredEvent> Read(string run, long version, CancellationToken cancel)
    {
        // Names follow from what was read, so that looking for news of a long stream opens one file; only a reader who
        // stands in the middle of an append starts from the beginning.
        var start = version == 0 || version == _known.GetValueOrDefault(run) || File.Exists(PathOf(run, version + 1)) ? version : 0;
        var events = new List<StoredEvent>();
        var next = start + 1;
        for (RunEvent[]? append; (append = TryReadAppend(PathOf(run, next))) is not null; next += append.Length)
        {
            cancel.ThrowIfCancellationRequested();
            for (var i = 0; i < append.Length; i++)
            {
                if (next + i > version)
                {
                    events.Add(new StoredEvent(next + i, append[i]));
                }
            }
        }

        if (start == 0)
        {
            RefuseHole(run, next);
        }

        if (next > 1)
        {
            _known[run] = next - 1;
        }

        return events;
    }

    private static RunEvent[]? TryReadAppend(string path)
    {
        byte[] content;
        try
        {
            content = File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize<RunEvent[]>(content, ContractJson.Options) is { Length: > 0 } events
                ? events
                : throw new JsonException("no events");
        }
        catch (Exception error) when (error is JsonException or NotSupportedException)
        {
            throw new UserErrorException($"{path} is damaged or of a newer version ({FirstLine(error.Message)}): restore the file from a copy, or delete the run's folder to abandon the run", error);
        }
    }

    private void RefuseHole(string run, long next)
    {
        var folder = Path.GetDirectoryName(PathOf(run, 1))!;
        if (!Directory.Exists(folder))
        {
            return;
        }

        var later = Directory.EnumerateFiles(folder, "*.json").Select(path => Path.GetFileNameWithoutExtension(path))
            .Where(name => long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var sequence) && sequence > next)
            .Order(StringComparer.Ordinal).FirstOrDefault();

        // A writer may have appended between the last look and this listing; then the file at `next` is there now.
        if (later is not null && !File.Exists(PathOf(run, next)))
        {
            throw new UserErrorException($"{PathOf(run, next)} is missing although {later}.json exists: restore the file from a copy, or delete the run's folder to abandon the run");
        }
    }

    private string PathOf(string run, long sequence) =>
        Path.Combine(_runs, run, "events", sequence.ToString("D8", CultureInfo.InvariantCulture) + ".json");

    private static string FirstLine(string text) => text.Split('\n')[0].TrimEnd('.', '\r');
}
