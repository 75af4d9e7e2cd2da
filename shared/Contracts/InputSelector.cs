namespace ClipSae.Contracts;

/// <summary>Says which artifacts a unit takes, and under which name it sees them.</summary>
/// <param name="As">
/// The name the unit sees. Where <paramref name="From"/> has stars, each match is named <c>As + "/" + what the stars matched, joined by
/// '/'</c>.
/// </param>
/// <param name="From">
/// A run input (<c>dataset:manifest</c>, <c>model:weights</c>, <c>dataset:shards/*</c>) or an output of a stage's unit
/// (<c>sae-training/mlp@0:sae</c>, <c>fine-tuning/*:model</c>). A star matches any characters within its part.
/// </param>
public sealed record InputSelector(string As, string From);
