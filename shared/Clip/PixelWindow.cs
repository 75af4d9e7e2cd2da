namespace ClipSae.Clip;

/// <summary>A rectangle of a picture, pixels.</summary>
public readonly record struct PixelWindow(int Left, int Top, int Width, int Height);
