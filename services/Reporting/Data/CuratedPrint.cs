namespace ClipSae.Reporting.Data;

/// <summary>What the curated attack set holds.</summary>
/// <param name="Printed">Images that a word was printed on.</param>
/// <param name="Firing">Those of them on which the text-salient features fire; null where it is not known.</param>
/// <param name="Natural">Images of the data set, as they are, on which the text-salient features fire.</param>
/// <param name="Words">Words that they show, as far as recorded.</param>
/// <param name="Fonts">Faces that words were printed in.</param>
public sealed record CuratedPrint(int Printed, int? Firing, int Natural, IReadOnlySet<string> Words, IReadOnlySet<string> Fonts);
