namespace ClipSae.Clip.Architecture;

/// <summary>How the vision tower's positional embedding starts.</summary>
public abstract record PositionInitialization
{
    private PositionInitialization() { }

    /// <summary>Normal with standard deviation width^-0.5, as OpenAI's model code.</summary>
    public sealed record Gaussian : PositionInitialization;

    /// <summary>
    /// Fixed two-dimensional sines and cosines (MAE, arXiv 2111.06377) times <paramref name="Scale"/>; the class token's row is zero.
    /// A small model on a small data set finds positions, and with them printed words, hundreds of steps sooner; 0.7 was measured.
    /// </summary>
    public sealed record SinCos(double Scale = 0.7) : PositionInitialization;
}
