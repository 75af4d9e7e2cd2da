namespace ClipSae.Contracts;

/// <summary>A worker's answer to <see cref="CheckUnits"/>.</summary>
/// <param name="Problem">What is wrong, with the name of the parameter or input; null where nothing is.</param>
public sealed record UnitsChecked(string? Problem);
