namespace ClipSae.Results.Evaluation;

/// <summary>Recall: the share of queries with a right answer among the first 1, 5 and 10.</summary>
public sealed record RecallScores(Interval At1, Interval At5, Interval At10);
