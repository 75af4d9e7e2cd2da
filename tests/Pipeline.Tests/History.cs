using System.Text.Json.Nodes;
using ClipSae.Pipeline.Runs;

namespace ClipSae.Pipeline.Tests;

/// <summary>
/// Valid histories, played out from a seed: a random plan, workers that finish, fail, stop and repeat themselves in any order.
/// </summary>
internal sealed class History
{
    private readonly Random _random;
    private readonly List<RunEvent> _events = [];
    private RunState _state = RunState.Empty;
    private DateTimeOffset _now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    private History(int seed) => _random = new Random(seed);

    /// <summary>The events of one history.</summary>
    public static IReadOnlyList<RunEvent> Of(int seed) => new History(seed).Play();

    public static UnitFinished Finished(string stage, string unit, DateTimeOffset at, string worker = "w") =>
        new(
            stage,
            unit,
            worker,
            $"key-{stage}-{unit}",
            new Dictionary<string, ArtifactRef> { ["out"] = new($"sha256:{stage}-{unit}", 1, "x/y", unit) },
            [],
            new CacheOutcome(CacheKind.Miss, "new"),
            1,
            at
        )
        {
            At = at,
        };

    /// <summary>A chain of stages: each takes all of the one before, some by star, some unit by unit.</summary>
    public static RunPlan Plan(params int[] unitsByStage) => Plan(0, unitsByStage);

    /// <summary>
    /// The same with a share of units that may fail; each unit of the first stage takes a run input of its own, and the later stages take
    /// them all.
    /// </summary>
    public static RunPlan Plan(double tolerated, int[] unitsByStage) =>
        new([
            .. unitsByStage.Select(
                (units, index) =>
                    new StagePlan(
                        $"s{index}",
                        [],
                        [
                            .. Enumerable
                                .Range(0, units)
                                .Select(unit => new UnitPlan(
                                    $"u{unit}",
                                    new JsonObject { ["n"] = unit },
                                    index == 0 ? [new InputSelector("own", $"dataset:shards/u{unit}")] : []
                                )),
                        ],
                        index == 0
                            ? [new InputSelector("data", "dataset:a")]
                            : [new InputSelector("all", $"s{index - 1}/*:out"), new InputSelector("shards", "dataset:shards/*")],
                        tolerated
                    )
            ),
        ]);

    public static RunStarted Start(RunPlan plan, DateTimeOffset at) =>
        new(
            "run",
            plan,
            new RunSpec(
                plan.Stages[0]
                    .Units.Select(unit => "shards/" + unit.Name)
                    .Append("a")
                    .ToDictionary(name => "dataset:" + name, name => new ArtifactRef("sha256:" + name, 1, "x/y", name)),
                [],
                1
            )
        )
        {
            At = at,
        };

    private List<RunEvent> Play()
    {
        var stages = _random.Next(1, 4);
        var failing = _random.Next(3) == 0;
        var tolerated = failing ? _random.Next(3) * 0.5 : 0;
        Add(Start(Plan(tolerated, [.. Enumerable.Range(0, stages).Select(_ => _random.Next(1, 5))]), Tick()));
        var cancelling = _random.Next(4) == 0;
        while (_state.End is null)
        {
            foreach (var givenUp in RunDecisions.GiveUp(_state, Tick()))
            {
                Add(givenUp);
                if (_random.Next(2) == 0)
                {
                    // A worker that was thought lost comes back with a result when the run has gone on without it.
                    Add(Finished(givenUp.Stage, givenUp.Units[0], Tick(), "lost"));
                }
            }

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

            var outstanding = _state
                .Stages.Values.SelectMany(stage => stage.Outstanding.Select(unit => (stage.Plan.Stage, unit)))
                .Order()
                .ToArray();
            if (outstanding.Length == 0)
            {
                continue;
            }

            var (name, chosen) = outstanding[_random.Next(outstanding.Length)];
            Add(
                (
                    failing ? _random.Next(5)
                    : _state.Status == RunStatus.Stopping ? _random.Next(1, 3)
                    : 2
                ) switch
                {
                    0 => new UnitFailed(name, chosen, "w", "reason", 1) { At = Tick() },
                    1 when _state.Status == RunStatus.Stopping => new UnitStopped(name, chosen, "w") { At = Tick() },
                    _ => Finished(name, chosen, Tick()),
                }
            );
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
