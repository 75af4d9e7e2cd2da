using System.Text.Json.Serialization;

namespace ClipSae.Results.Evaluation;

/// <summary>The metrics of one model.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Arm">Its arm; null for the base.</param>
/// <param name="Seed">Its training seed.</param>
/// <param name="Validation">Its best validation score in training.</param>
/// <param name="Sets">Metrics by set.</param>
/// <param name="Retrieval">Metrics by set of captioned images.</param>
/// <param name="TextStates">
/// What changed about the states of its text tower, which image generators take; of models of OpenAI's family with the base's sizes.
/// </param>
public sealed record ModelScores(
    string Name,
    string? Arm,
    int? Seed,
    double? Validation,
    IReadOnlyDictionary<string, SetScores> Sets,
    IReadOnlyDictionary<string, RetrievalScores> Retrieval,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<TextStateChange>? TextStates = null
);
