namespace ClipSae.Contracts;

/// <summary>How far a unit has come: shown live, never stored.</summary>
/// <param name="Done">Items done.</param>
/// <param name="Total">Items in all; 0 until the stage has said so.</param>
/// <param name="Items">What an item is, in the plural: <c>images</c>, <c>steps</c>.</param>
/// <param name="Rate">Items a second, smoothed; null until two reports have come.</param>
/// <param name="Remaining">Estimated time to the end.</param>
/// <param name="Values">Metrics worth watching, such as the loss.</param>
public sealed record UnitProgress(
    string Run,
    string Stage,
    string Unit,
    long Done,
    long Total,
    string Items,
    double? Rate,
    TimeSpan? Remaining,
    IReadOnlyDictionary<string, double> Values
);
