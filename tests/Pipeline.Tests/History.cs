using System.Text.Json.Nodes;
using ClipSae.Contracts;

namespace ClipSae.Pipeline.Tests;

/// <summary>Valid histories, played out from a seed: a random plan, workers that finish, fail, stop and repeat themselves in any order.</summary>
internal sealed class History
{
    private readonly Random _random;
    private readonly List<RunEvent> _events = [];
    private RunState _state = RunState.Empty;
    private DateTimeOffset _now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    private History(int seed) => _random = new Random(seed);

    /// <summary>The events of one history.</summary>
    public static IReadOnlyList<RunEvent> Of(int seed) => new History(seed).Play();

    public static UnitFinished Finished(string stage, string unit, DateTimeOffset at, string worker = "w") => new(
        stage, unit, worker, $"key-{stage}-{unit}",
        new Dictionary<string, ArtifactRef> { ["out"] = new($"sha256:{stage}-{unit}", 1, "x/y", unit) },
        [], new CacheOutcome(CacheKind.Miss, "new"), 1, at)
    {
        At = at,
    };

    /// <summary>A chain of stages: each takes all of the one before, some by star, some unit by unit.</summary>
    public static RunPlan Plan(params int[] unitsByStage) => new([.. unitsByStage.Select((units, index) => new StagePlan(
        $"s{index}",
        [],
        [.. Enumerable.Range(0, units).Select(unit => new UnitPlan($"u{unit}", new JsonObject { ["n"] = unit }, []))],
        index == 0 ? [new InputSelector("data", "dataset:*")] : [new InputSelector("all", $"s{index - 1}/*:out")]))]);

    public static RunStarted Start(RunPlan plan, DateTimeOffset at) =>
        new("run", plan, new Dictionary<string, ArtifactRef> { ["dataset:a"] = new("sha256:a", 1, "x/y", "a") }, [], 1) { At = at };

    private List<RunEvent> Play()
    {
        var stages = _random.Next(1, 4);
        Add(Start(Plan([.. Enumerable.Range(0, stages).Select(_ => _random.Next(1, 5))]), Tick()));
        var failing = _random.Next(4) == 0;
        var cancelling = _random.Next(4) == 0;
        while (_state.End is null)
        {
            foreach (var requested in RunDecisions.Record(RunDecisions.Decide(_state), Tick()))
            {
                Add(requested);
            }

            if (RunDecisions.Conclude(_state, Tick()) is { } end)
            {
                Add(end);
                break;
            }

            if (cancelling && _random.Next(6) == 0)
            {
                Add(new RunCancelRequested("test") { At = Tick() });
            }

            var outstanding = _state.Stages.Values.SelectMany(stage => stage.Outstanding.Select(unit => (stage.Plan.Stage, unit))).Order().ToArray();
            if (outstanding.Length == 0)
            {
                continue;
            }

            var (name, chosen) = outstanding[_random.Next(outstanding.Length)];
            Add((failing ? _random.Next(5) : _state.Status == RunStatus.Stopping ? _random.Next(1, 3) : 2) switch
            {
                0 => new UnitFailed(name, chosen, "w", "reason", 1) { At = Tick() },
                1 when _state.Status == RunStatus.Stopping => new UnitStopped(name, chosen, "w") { At = Tick() },
                _ => Finished(name, chosen, Tick()),
            });
            if (_random.Next(5) == 0)
            {
                // Delivered twice: another worker had it too.
                Add(Finished(name, chosen, Tick(), "other"));
            }
        }

        return _events;
    }

    private void Add(RunEvent happened)
    {
        _events.Add(happened);
        _state = _state.Apply(happened);
    }

    private DateTimeOffset Tick() => _now += TimeSpan.FromSeconds(1);
}
