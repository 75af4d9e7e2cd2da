namespace ClipSae.Results.Evaluation;

/// <summary>What a set consists of.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Protocol">clean, attacked, words or retrieval.</param>
/// <param name="Images">Images scored.</param>
/// <param name="Total">Images and rows in the set's source.</param>
/// <param name="Classes">Object classes among the candidates; they come first.</param>
/// <param name="Candidates">Texts a model chooses from; none for retrieval.</param>
/// <param name="Captions">Different captions; 0 but for retrieval.</param>
/// <param name="Words">Words that its images show, ordinal order; none on sets without print.</param>
/// <param name="Fonts">Faces of these words, as far as they are recorded.</param>
/// <param name="Problems">Images and rows that were not scored, each with its reason.</param>
public sealed record SetSummary(
    string Name,
    string Protocol,
    int Images,
    int Total,
    int Classes,
    IReadOnlyList<string> Candidates,
    int Captions,
    IReadOnlyList<string> Words,
    IReadOnlyList<string> Fonts,
    IReadOnlyList<EvaluationProblem> Problems
);
