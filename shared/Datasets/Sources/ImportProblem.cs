namespace ClipSae.Datasets.Sources;

/// <summary>Something in a data set that could not be used.</summary>
/// <param name="Kind">One of the names in <see cref="ImportProblemKind"/>.</param>
/// <param name="Where">The picture's path, or file and line.</param>
/// <param name="Detail">What is wrong, in a few words.</param>
public sealed record ImportProblem(string Kind, string Where, string Detail);
