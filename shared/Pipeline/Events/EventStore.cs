using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using ClipSae.Artifacts;

namespace ClipSae.Pipeline.Events;

/// <summary>
/// Event streams as objects: one append is one object <c>runs/{run}/events/{sequence:D8}.json</c>, named by its first event and created
/// only where none has that key. Any number of processes may write to one store.
/// </summary>
public sealed class EventStore(IObjectStore store) : IEventStore
{
    private const int ReadsAtOnce = 16;
    private const string Runs = "runs/";

    // Ends of appends seen so far; a version that is none would leave a hole or start in the middle of an append.
    private readonly ConcurrentDictionary<string, long> _known = new(StringComparer.Ordinal);

    public async Task<bool> TryAppendAsync(string run, long version, IReadOnlyList<RunEvent> events, CancellationToken cancel = default)
    {
        RunName.Require(run);
        ArgumentOutOfRangeException.ThrowIfZero(events.Count);
        if (version != 0 && _known.GetValueOrDefault(run) != version && (await ReadAsync(run, 0, cancel)).Count != version)
        {
            return false;
        }

        if (!await store.TryCreateAsync(KeyOf(run, version + 1), JsonSerializer.SerializeToUtf8Bytes(events, ContractJson.Options), cancel))
        {
            return false;
        }

        _known[run] = version + events.Count;
        return true;
    }

    public async Task<IReadOnlyList<StoredEvent>> ReadAsync(string run, long version = 0, CancellationToken cancel = default)
    {
        RunName.Require(run);
        var events = new List<StoredEvent>();
        var next = version + 1;
        if (version == 0 || (version != _known.GetValueOrDefault(run) && await store.LengthAsync(KeyOf(run, version + 1), cancel) is null))
        {
            // A reader who stands in the middle of an append starts from the beginning too.
            next = await ReadListedAsync(run, events, cancel);
        }

        // Names follow from what was read, so that looking for news of a long stream asks for one object.
        while (await TryReadAppendAsync(KeyOf(run, next), cancel) is { } append)
        {
            next = Add(events, next, append);
        }

        if (next > 1)
        {
            _known[run] = next - 1;
        }

        events.RemoveAll(stored => stored.Sequence <= version);
        return events;
    }

    public async Task<IReadOnlyList<string>> ListRunsAsync(CancellationToken cancel = default)
    {
        var names = (await store.ListAsync(Runs, isDeep: false, cancel))
            .Where(found => found.Key.EndsWith('/'))
            .Select(found => found.Key[Runs.Length..^1])
            .ToArray();

        // What was exported is next to the stream, and a pruning that was stopped half-way leaves streams without their beginning.
        var isRun = new bool[names.Length];
        await EachAsync(
            names.Length,
            async (index, token) =>
                isRun[index] = _known.ContainsKey(names[index]) || await store.LengthAsync(KeyOf(names[index], 1), token) is not null,
            cancel
        );
        return [.. names.Where((_, index) => isRun[index])];
    }

    /// <summary>Reads all that a listing shows, many objects at once, and gives the sequence after it.</summary>
    private async Task<long> ReadListedAsync(string run, List<StoredEvent> events, CancellationToken cancel)
    {
        var keys = (await store.ListAsync($"{Runs}{run}/events/", cancel: cancel))
            .Select(found => found.Key)
            .Where(key => SequenceOf(key) > 0)
            .OrderBy(SequenceOf)
            .ToArray();
        var appends = new RunEvent[keys.Length][];
        await EachAsync(
            keys.Length,
            async (index, token) =>
                appends[index] = await TryReadAppendAsync(keys[index], token) ?? throw Missing(run, keys[index], "it was listed"),
            cancel
        );
        long next = 1;
        foreach (var (append, key) in appends.Zip(keys))
        {
            // A listing of a folder that is being written to may leave out what came before something that it shows.
            while (SequenceOf(key) > next && await TryReadAppendAsync(KeyOf(run, next), cancel) is { } between)
            {
                next = Add(events, next, between);
            }

            if (SequenceOf(key) != next)
            {
                throw Missing(run, KeyOf(run, next), $"{Path.GetFileName(key)} exists");
            }

            next = Add(events, next, append);
        }

        return next;
    }

    private async Task<RunEvent[]?> TryReadAppendAsync(string key, CancellationToken cancel)
    {
        if (await store.ReadAsync(key, cancel) is not { } content)
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
            throw new UserErrorException(
                $"{store.Describe(key)} is damaged or of a newer version "
                    + $"({UserErrorException.FirstLine(error.Message)}): {Remedy(key.Split('/')[1])}",
                error
            );
        }
    }

    private UserErrorException Missing(string run, string key, string although) =>
        new($"{store.Describe(key)} is missing although {although}: {Remedy(run)}");

    private string Remedy(string run) => $"restore it from a copy, or remove all of {store.Describe(Runs + run)} to abandon the run";

    private static Task EachAsync(int count, Func<int, CancellationToken, ValueTask> act, CancellationToken cancel) =>
        Parallel.ForEachAsync(
            Enumerable.Range(0, count),
            new ParallelOptions { MaxDegreeOfParallelism = ReadsAtOnce, CancellationToken = cancel },
            act
        );

    private static long Add(List<StoredEvent> events, long next, RunEvent[] append)
    {
        events.AddRange(append.Select((happened, index) => new StoredEvent(next + index, happened)));
        return next + append.Length;
    }

    private static string KeyOf(string run, long sequence) =>
        string.Create(CultureInfo.InvariantCulture, $"{Runs}{run}/events/{sequence:D8}.json");

    private static long SequenceOf(string key) =>
        key.EndsWith(".json", StringComparison.Ordinal)
        && long.TryParse(key.AsSpan(key.LastIndexOf('/') + 1)[..^5], NumberStyles.None, CultureInfo.InvariantCulture, out var sequence)
            ? sequence
            : 0;
}
