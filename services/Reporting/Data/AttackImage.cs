namespace ClipSae.Reporting.Data;

/// <summary>A curated attack.</summary>
/// <param name="Image">Data URI.</param>
/// <param name="Label">What it shows.</param>
/// <param name="Word">What is printed on it.</param>
/// <param name="Font">In which face.</param>
public sealed record AttackImage(string Image, string? Label, string? Word, string? Font);
