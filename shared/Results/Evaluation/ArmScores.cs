namespace ClipSae.Results.Evaluation;

/// <summary>An arm of fine-tuning over its seeds.</summary>
/// <param name="Name">The arm.</param>
/// <param name="Control">Whether it is a random control.</param>
/// <param name="Seeds">Training seeds. With several, intervals are Student's over seeds; with one, the bootstrap's over images.</param>
/// <param name="Validation">Mean of the best validation scores.</param>
/// <param name="Sets">Metrics by set.</param>
public sealed record ArmScores(
    string Name,
    bool Control,
    IReadOnlyList<int> Seeds,
    double? Validation,
    IReadOnlyDictionary<string, ArmSetScores> Sets
);
