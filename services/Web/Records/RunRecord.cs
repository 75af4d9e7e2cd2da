using ClipSae.Hosting.Runs;
using ClipSae.Pipeline.Events;
using ClipSae.Pipeline.Runs;
using ClipSae.Results;
using ClipSae.Results.Curation;
using ClipSae.Results.Evaluation;

namespace ClipSae.Web.Records;

/// <summary>A run as its events show it.</summary>
/// <param name="Run">Its name.</param>
/// <param name="Board">Where it stands, stage by stage, as <c>watch</c> shows it.</param>
internal sealed record RunRecord(string Run, RunBoard Board)
{
    public static RunRecord Of(string run, IReadOnlyList<StoredEvent> events) => new(run, RunBoard.Of(events));

    /// <summary>Where it stands.</summary>
    public RunState State => Board.State;

    /// <summary>Scores of the models; null before the evaluation.</summary>
    public EvaluationMetrics? Scores => Metrics(ParameterSections.Evaluation, ResultFormats.EvaluationMetrics);

    /// <summary>What curation found; null before it.</summary>
    public CurationMetrics? Curation => Metrics(ParameterSections.Curation, ResultFormats.CurationMetrics);

    /// <summary>An artifact that the run was given or has made, by its digest; null where it has none such.</summary>
    public ArtifactRef? Artifact(string digest) =>
        (State.Start?.Spec.Inputs.Values ?? [])
            .Concat(State.Stages.Values.SelectMany(stage => stage.FinishedUnits()).SelectMany(unit => unit.Outputs.Values))
            .FirstOrDefault(artifact => artifact.Digest == digest);

    private T? Metrics<T>(string stage, ResultFormat<T> format)
        where T : class =>
        State.Finished(stage).FirstOrDefault() is { } unit ? format.Read(unit.Metrics, $"metrics of {unit.Stage}/{unit.Unit}") : null;
}
