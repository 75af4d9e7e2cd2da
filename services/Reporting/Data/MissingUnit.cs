namespace ClipSae.Reporting.Data;

/// <summary>A unit that failed and that the run continued without.</summary>
/// <param name="Stage">Its stage.</param>
/// <param name="Unit">Its name.</param>
/// <param name="Reason">Why it failed.</param>
/// <param name="Units">Units of the stage in all.</param>
public sealed record MissingUnit(string Stage, string Unit, string Reason, int Units);
