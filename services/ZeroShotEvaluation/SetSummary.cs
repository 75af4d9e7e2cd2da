namespace ClipSae.ZeroShotEvaluation;

/// <summary>What a set consists of.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Protocol">clean, attacked or words.</param>
/// <param name="Images">Images scored.</param>
/// <param name="Total">Images in the set.</param>
/// <param name="Candidates">Texts a model chooses from.</param>
/// <param name="Problems">Images that were not scored, each with its reason.</param>
public sealed record SetSummary(
    string Name, string Protocol, int Images, int Total, IReadOnlyList<string> Candidates, IReadOnlyList<EvaluationProblem> Problems);
