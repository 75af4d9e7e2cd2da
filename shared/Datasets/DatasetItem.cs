using System.Text.Json.Nodes;

namespace ClipSae.Datasets;

/// <summary>One captioned picture of a data set.</summary>
/// <param name="Id">Its path relative to the data set's folder, with forward slashes.</param>
/// <param name="Captions">Texts that describe it, at least one.</param>
/// <param name="Label">The class it belongs to, where the source says so.</param>
/// <param name="Attributes">Whatever else the source records: printed word, font, box, …</param>
public sealed record DatasetItem(string Id, IReadOnlyList<string> Captions, string? Label = null, JsonObject? Attributes = null);
