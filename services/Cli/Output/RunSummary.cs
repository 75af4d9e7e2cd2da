using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Pipeline.Runs;
using ClipSae.Results;
using ClipSae.Results.Autoencoders;
using ClipSae.Results.Evaluation;
using ClipSae.Results.Tuning;

namespace ClipSae.Cli.Output;

/// <summary>What a run gave, read off its events: scores, stages with their cache outcomes, artifacts.</summary>
internal sealed class RunSummary
{
    // Read when asked for: whoever asks why units ran needs no scores.
    private readonly Lazy<EvaluationMetrics?> _evaluation;

    /// <param name="run">The run's name.</param>
    /// <param name="state">Where it stands.</param>
    public RunSummary(string run, RunState state)
    {
        Run = run;
        State = state;
        _evaluation = new(() => Metrics(ResultFormats.EvaluationMetrics, ParameterSections.Evaluation));
    }

    public string Run { get; }

    /// <summary>Where the run stands.</summary>
    public RunState State { get; }

    /// <summary>Scores of the base; null before the evaluation.</summary>
    public ModelMetrics? Base => _evaluation.Value?.Base;

    /// <summary>Scores of the tuned model; null where none is.</summary>
    public ModelMetrics? Tuned => _evaluation.Value?.Tuned;

    /// <summary>The fine-tuning unit whose model is the tuned one, where the evaluation named it.</summary>
    public string? TunedUnit => Tuned?.Name;

    public IReadOnlyList<ArmMetrics> Arms => _evaluation.Value?.Arms ?? [];

    /// <summary>Whether there were tuned models and none beat the base by its validation score: then nothing is the tuned one.</summary>
    public bool IsBaseBest => TunedUnit is null && Arms.Any(arm => !ArmName.IsControl(arm.Name));

    /// <summary>In a line, what a verification compared; null where nothing was verified.</summary>
    public string? Verification
    {
        get
        {
            var verified = All.Where(unit => unit.Cache.Kind is CacheKind.Verified).ToArray();
            string[] others =
            [
                .. PlannedUnits()
                    .Where(unit =>
                        unit.Stage != ParameterSections.Report && State.Finished(unit.Stage, unit.Unit)?.Cache.Kind is CacheKind.Miss
                    )
                    .Select(unit => $"{unit.Stage}/{unit.Unit}"),
            ];
            return State.Start?.Spec.Verify != true ? null
                : verified.Length == 0 ? "verified: nothing, since nothing that was computed is still stored to compare with."
                : $"verified: {verified.Length} unit{(verified.Length == 1 ? "" : "s")} computed again, "
                    + $"all {verified.Sum(unit => unit.Outputs.Count)} outputs equal to the last bit to those stored before."
                    + (others.Length == 0 ? "" : $" Not compared, since nothing was stored: {MissingUnits.Short(others)}.");
        }
    }

    /// <summary>What the scores amount to; null where no attack was scored, or no model is the tuned one.</summary>
    public string? Verdict =>
        _evaluation.Value is not { Base: var before, Tuned: { } after }
            ? null
            : Pages.Verdict.Of(
                before.HeldOut.AttackSuccess ?? before.AttackSuccess,
                before.HeldOut.AttackSuccess is null ? after.AttackSuccess : after.HeldOut.AttackSuccess,
                before.Clean ?? before.HeldOut.Clean,
                before.Clean is null ? after.HeldOut.Clean : after.Clean
            );

    /// <summary>Fine-tuning units whose weights hardly moved from the base's.</summary>
    public IReadOnlyList<string> Unmoved =>
        [
            .. State
                .Finished(ParameterSections.Tuning)
                .Where(unit => Reporting.Data.Movement.IsUnmoved(Tuning(unit)!))
                .Select(unit => unit.Unit),
        ];

    private IEnumerable<UnitFinished> All => State.StagesInOrder().SelectMany(stage => stage.FinishedUnits());

    /// <summary>Whether the run is done and every unit was taken from the store.</summary>
    public bool IsAllCached =>
        State.End is RunCompleted
        && All.Where(unit => unit.Stage != ParameterSections.Report).All(unit => unit.Cache.Kind is CacheKind.Hit);

    /// <param name="report">Path of the HTML report, if there is one.</param>
    public JsonObject ToJson(string? report) =>
        new()
        {
            ["runId"] = Run,
            ["status"] = State.Status.Name(),
            ["report"] = report,
            ["base"] = Scores(Base),
            ["tuned"] = Scores(Tuned),
            ["verdict"] = Verdict,
            ["verification"] = State.End is RunCompleted ? Verification : null,
            ["unmoved"] = new JsonArray([.. Unmoved.Select(unit => JsonValue.Create(unit))]),
            ["arms"] = new JsonArray([.. Arms.Select(arm => Scores(arm, arm.Name))]),
            ["families"] = new JsonObject
            {
                ["base"] = JsonSerializer.SerializeToNode(Base?.Families, ContractJson.Options),
                ["tuned"] = JsonSerializer.SerializeToNode(Tuned?.Families, ContractJson.Options),
            },
            ["stages"] = Stages(),
            ["missing"] = new JsonArray([
                .. State
                    .Missing()
                    .Select(failed => new JsonObject
                    {
                        ["stage"] = failed.Stage,
                        ["unit"] = failed.Unit,
                        ["reason"] = failed.Reason,
                    }),
            ]),
        };

    /// <summary>Metrics by family of print; null where no sets called attacked-NAME were evaluated.</summary>
    public NumberTable? Families() => FamilyTable.Create(Base?.Families, Tuned?.Families);

    /// <summary>
    /// The tuned model, or the first where none was taken, next to the base by the families that curation printed; null where it printed in
    /// one style.
    /// </summary>
    public NumberTable? PrintedFamilies() =>
        RedTeamSummary.Create(
            Tuning(
                TunedUnit is { } tuned
                    ? State.Finished(ParameterSections.Tuning, tuned)
                    : State.Finished(ParameterSections.Tuning).FirstOrDefault()
            )?.Families
        );

    /// <summary>Autoencoders that reconstruct worse than the mean of the activations would: their features mean nothing.</summary>
    public IReadOnlyList<string> Useless =>
        [.. State.Finished(ParameterSections.Sae).Where(unit => Autoencoder(unit).ExplainedVariance < 0).Select(unit => unit.Unit)];

    /// <summary>In a line each: how many printed words fooled the base, and captions that repeat what is printed.</summary>
    public IEnumerable<string> CurationLines()
    {
        var metrics = Metrics(ResultFormats.CurationMetrics, ParameterSections.Curation);
        foreach (var line in RedTeamSummary.Lines(metrics))
        {
            yield return line;
        }

        if (metrics?.Captions is { } captions)
        {
            yield return $"captions: {captions.Found} of {captions.Images} pictures have a caption that repeats their print; "
                + $"{captions.Action} changed {captions.Changed}.";
        }
    }

    /// <summary>One entry a unit, in the plan's order.</summary>
    public JsonArray Stages()
    {
        var stages = new JsonArray();
        foreach (var (stage, unit) in PlannedUnits())
        {
            if (State.Finished(stage, unit) is { } finished)
            {
                stages.Add(
                    new JsonObject
                    {
                        ["stage"] = stage,
                        ["unit"] = unit,
                        ["algorithmVersion"] = Version(stage),
                        ["cache"] = CacheName(finished),
                        ["reason"] = finished.Cache.Reason,
                        ["seconds"] = Math.Round(finished.Seconds, 3),
                        ["key"] = finished.Key,
                    }
                );
            }
        }

        return stages;
    }

    /// <summary>
    /// A line for each unit in the plan's order, in columns; what is long stands last, so that nothing is folded within a name.
    /// </summary>
    public IReadOnlyList<string> StageLines() =>
        PaddedLines.Of(
            ["stage", "unit", "cache", "time", "why"],
            PlannedUnits()
                .Select(planned =>
                    State.Finished(planned.Stage, planned.Unit) is { } finished
                        ? new[]
                        {
                            planned.Stage,
                            planned.Unit,
                            CacheName(finished),
                            Amounts.Duration(TimeSpan.FromSeconds(finished.Seconds)),
                            finished.Cache.Reason,
                        }
                        : [planned.Stage, planned.Unit, "–", "–", Unfinished(planned.Stage, planned.Unit)]
                )
        );

    /// <summary>Metrics of a trained autoencoder.</summary>
    public static AutoencoderMetrics Autoencoder(UnitFinished unit) =>
        ResultFormats.AutoencoderMetrics.Read(unit.Metrics, $"metrics of {unit.Stage}/{unit.Unit}");

    private static TuningMetrics? Tuning(UnitFinished? unit) =>
        unit is null ? null : ResultFormats.TuningMetrics.Read(unit.Metrics, $"metrics of {unit.Stage}/{unit.Unit}");

    /// <summary>
    /// In a line, the version of each stage's algorithm, which a run keeps to its end; null where the plan, of an older program, has none.
    /// </summary>
    public string? Versions =>
        State
            .Start?.Plan.Stages.Where(stage => stage.AlgorithmVersion is not null)
            .Select(stage => FormattableString.Invariant($"{stage.Stage} {stage.AlgorithmVersion}"))
            .ToArray()
            is { Length: > 0 } versions
            ? $"algorithm versions: {string.Join(", ", versions)}"
            : null;

    private int? Version(string stage) => State.Start?.Plan.Stages.FirstOrDefault(planned => planned.Stage == stage)?.AlgorithmVersion;

    private string Unfinished(string stage, string unit) =>
        State.Stages[stage] is var at && at.Facts.GetValueOrDefault(unit) is UnitFailed failed
            ? $"{(at.GivenUp.Contains(unit) ? "missing" : "failed")}: {failed.Reason}"
            : "not finished";

    private static string CacheName(UnitFinished finished) =>
        finished.Cache.Kind switch
        {
            CacheKind.Hit => "hit",
            CacheKind.Verified => "verified",
            _ => "miss",
        };

    private IEnumerable<(string Stage, string Unit)> PlannedUnits() =>
        State.Start?.Plan.Stages.SelectMany(stage => stage.Units.Select(unit => (stage.Stage, unit.Name))) ?? [];

    private static JsonObject Scores(ModelMetrics? metrics, string? name = null)
    {
        var json = new JsonObject
        {
            ["clean"] = metrics?.Clean,
            ["attacked"] = metrics?.Attacked,
            ["attackSuccess"] = metrics?.AttackSuccess,
            ["heldOut"] = new JsonObject
            {
                ["clean"] = metrics?.HeldOut.Clean,
                ["attacked"] = metrics?.HeldOut.Attacked,
                ["attackSuccess"] = metrics?.HeldOut.AttackSuccess,
            },
            ["words"] = metrics?.Words,
            ["wordsHeldOut"] = metrics?.WordsHeldOut,
        };
        if (name is not null)
        {
            json.Insert(0, "name", name);
        }

        return json;
    }

    private T? Metrics<T>(ResultFormat<T> format, string stage)
        where T : class => State.Finished(stage).FirstOrDefault() is { } unit ? format.Read(unit.Metrics, $"metrics of {stage}") : null;
}
