namespace ClipSae.Imaging.Pixels;

/// <summary>A rectangle of a picture, pixels.</summary>
public readonly record struct ImageRegion(int Left, int Top, int Width, int Height)
{
    public int Right => Left + Width;

    public int Bottom => Top + Height;

    internal bool Within(int width, int height) => Left >= 0 && Top >= 0 && Width > 0 && Height > 0 && Right <= width && Bottom <= height;
}
