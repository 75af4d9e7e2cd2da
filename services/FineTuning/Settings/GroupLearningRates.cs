using System.ComponentModel.DataAnnotations;

namespace ClipSae.FineTuning.Settings;

/// <summary>Learning rate of each part of the model; 0 freezes a part. Defaults are upstream's recipe for ViT-L/14.</summary>
public sealed record GroupLearningRates
{
    internal const string VisionPart = "visual transformer";
    internal const string TextPart = "text transformer";
    internal const string TokenEmbeddingPart = "token embedding";
    internal const string PositionsPart = "positional and class embeddings";
    internal const string ProjectionsPart = "projections and norms";

    internal const string NullTokenPart = "null token";

    /// <summary>Of the vision tower's blocks. Default 3e-7.</summary>
    [Range(0, double.PositiveInfinity)]
    public double Vision { get; init; } = 3e-7;

    /// <summary>Of the text tower's blocks. Default 3e-8.</summary>
    [Range(0, double.PositiveInfinity)]
    public double Text { get; init; } = 3e-8;

    /// <summary>Of the token embedding. Default 3e-7.</summary>
    [Range(0, double.PositiveInfinity)]
    public double TokenEmbedding { get; init; } = 3e-7;

    /// <summary>Of positional and class embeddings. Default 1e-7.</summary>
    [Range(0, double.PositiveInfinity)]
    public double Positions { get; init; } = 1e-7;

    /// <summary>Of projections and norms. Default 1e-8.</summary>
    [Range(0, double.PositiveInfinity)]
    public double Projections { get; init; } = 1e-8;

    /// <summary>
    /// Of the one vector that the arm <c>null-token</c> trains; a vector that starts from nothing moves faster than weights that know
    /// something.
    /// </summary>
    [Range(0, double.PositiveInfinity, MinimumIsExclusive = true)]
    public double NullToken { get; init; } = 1e-2;

    internal double Of(string part) =>
        part switch
        {
            VisionPart => Vision,
            TextPart => Text,
            TokenEmbeddingPart => TokenEmbedding,
            PositionsPart => Positions,
            NullTokenPart => NullToken,
            _ => Projections,
        };
}
