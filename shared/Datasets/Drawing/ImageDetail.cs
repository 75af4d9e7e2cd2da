using ClipSae.Imaging.Pixels;

namespace ClipSae.Datasets.Drawing;

/// <summary>How much of a picture something would hide.</summary>
internal static class ImageDetail
{
    /// <summary>
    /// Squared deviation of brightness from its mean, summed over the pixels of a box, in 8-bit levels; 0 outside the picture.
    /// </summary>
    public static double Under(RgbImage image, (double Left, double Top, double Right, double Bottom) box)
    {
        var (left, right) = (Math.Clamp((int)box.Left, 0, image.Width), Math.Clamp((int)Math.Ceiling(box.Right), 0, image.Width));
        var (top, bottom) = (Math.Clamp((int)box.Top, 0, image.Height), Math.Clamp((int)Math.Ceiling(box.Bottom), 0, image.Height));
        long sum = 0,
            squares = 0;
        for (var y = top; y < bottom; y++)
        {
            var row = image.Rgb.AsSpan(3 * ((y * image.Width) + left), 3 * (right - left));
            for (var x = 0; x < row.Length; x += 3)
            {
                var level = (row[x] + (2 * row[x + 1]) + row[x + 2]) / 4;
                sum += level;
                squares += level * level;
            }
        }

        var pixels = (long)(right - left) * (bottom - top);
        return pixels == 0 ? 0 : squares - ((double)sum * sum / pixels);
    }
}
