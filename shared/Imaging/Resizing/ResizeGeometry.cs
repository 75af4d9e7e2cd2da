namespace ClipSae.Imaging.Resizing;

/// <summary>
/// Where torchvision's <c>Resize</c> of the short side and <c>CenterCrop</c>, or its <c>Resize</c> of both sides, put a picture.
/// </summary>
/// <param name="Width">Of the picture, pixels.</param>
/// <param name="Height">Of the picture, pixels.</param>
/// <param name="Target">Size of the result, and how it is reached.</param>
internal readonly record struct ResizeGeometry(int Width, int Height, ResizeTarget Target)
{
    /// <summary>Side of the result, pixels.</summary>
    public int Resolution => Target.Resolution;

    public int ResizedWidth => Resized(Width);

    public int ResizedHeight => Resized(Height);

    /// <summary>First column of the resized picture that the crop keeps.</summary>
    public int Left => First(ResizedWidth);

    /// <summary>First row of the resized picture that the crop keeps.</summary>
    public int Top => First(ResizedHeight);

    /// <summary>Whether the picture has its size already: Pillow then copies it.</summary>
    public bool IsCopy => (ResizedWidth, ResizedHeight) == (Width, Height);

    public (ResizeAxis Horizontal, ResizeAxis Vertical) Axes() =>
        (
            new ResizeAxis(Width, ResizedWidth, Left, Resolution, Target.Filter),
            new ResizeAxis(Height, ResizedHeight, Top, Resolution, Target.Filter)
        );

    private int Resized(int side) =>
        Target.Fit == ImageFit.Squash || side == Math.Min(Width, Height)
            ? Resolution
            : (int)((long)Resolution * Math.Max(Width, Height) / Math.Min(Width, Height));

    // Python's round: halves to even.
    private int First(int resized) => (int)Math.Round((resized - Resolution) / 2.0);
}
