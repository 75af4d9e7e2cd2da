namespace ClipSae.Tensors;

/// <summary>A module of a pickled or scripted model.</summary>
/// <param name="Path">Where it is in the model, its parts joined by points; empty for the model itself.</param>
/// <param name="Class">Name of its class, without package and mangling.</param>
/// <param name="Attributes">Its attributes that are plain values: null, bool, long, double or string.</param>
public sealed record PickledModule(string Path, string Class, IReadOnlyDictionary<string, object?> Attributes);
