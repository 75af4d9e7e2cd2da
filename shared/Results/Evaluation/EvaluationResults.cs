namespace ClipSae.Results.Evaluation;

/// <summary>All metrics of an evaluation: what the results artifact holds.</summary>
/// <param name="Base">Name of the first model, against which the others are compared.</param>
/// <param name="Tuned">Name of the tuned model that is shown next to the base: the one with the highest validation score, else the second
/// model; null where no score exceeds the base's.</param>
/// <param name="Classes">The object classes of all sets, those of clean, attacked and words sets first.</param>
/// <param name="Templates">The prompts.</param>
/// <param name="Resamples">Bootstrap samples.</param>
/// <param name="Seed">Seed of the bootstrap.</param>
/// <param name="Probe">How linear probes were trained; null where none was asked for.</param>
/// <param name="Sets">The sets, those of captioned images last.</param>
/// <param name="Models">Metrics of each model.</param>
/// <param name="Arms">Metrics of each arm over its seeds.</param>
public sealed record EvaluationResults(
    string Base,
    string? Tuned,
    IReadOnlyList<string> Classes,
    IReadOnlyList<string> Templates,
    int Resamples,
    long Seed,
    ProbeSettings? Probe,
    IReadOnlyList<SetSummary> Sets,
    IReadOnlyList<ModelScores> Models,
    IReadOnlyList<ArmScores> Arms
);
