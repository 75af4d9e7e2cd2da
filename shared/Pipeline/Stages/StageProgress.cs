namespace ClipSae.Pipeline.Stages;

/// <summary>How far a unit has come.</summary>
/// <param name="Done">Items done.</param>
/// <param name="Total">Items in all.</param>
/// <param name="Unit">What an item is, in the plural: <c>images</c>, <c>steps</c>.</param>
/// <param name="Values">Metrics worth watching, such as the loss.</param>
public sealed record StageProgress(long Done, long Total, string Unit, IReadOnlyDictionary<string, double>? Values = null);
