using System.Text.Json.Serialization;

namespace ClipSae.Results.Evaluation;

/// <summary>A model on print of one family, fractions.</summary>
/// <param name="Attacked">Accuracy under attack.</param>
/// <param name="AttackSuccess">Share of images for which the printed word is named.</param>
public sealed record FamilyAccuracy(
    double Attacked,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? AttackSuccess = null
);
