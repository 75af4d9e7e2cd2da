using ClipSae.Imaging.Pixels;

namespace ClipSae.Imaging.Jpeg;

/// <summary>
/// What decoding one component needs, and which of its blocks the region needs: one sample more on each side for the chroma filter.
/// </summary>
internal sealed class JpegBlockPlan
{
    public JpegBlockPlan(JpegFrame frame, JpegComponent component, ImageRegion region)
    {
        Component = component;
        component.Dc = 0;
        Dc = frame.DcTables[component.DcTable]!;
        Ac = frame.AcTables[component.AcTable]!;
        Steps = frame.Quantization[component.Quantization]!;
        var (across, down) = (frame.MaxAcross / component.Across, frame.MaxDown / component.Down);
        Left = Math.Max(0, region.Left / across - 1) / 8;
        Top = Math.Max(0, region.Top / down - 1) / 8;
        Right = (Math.Min(component.Width - 1, (region.Right - 1) / across + 1) / 8) + 1;
        Bottom = (Math.Min(component.Height - 1, (region.Bottom - 1) / down + 1) / 8) + 1;
    }

    public JpegComponent Component { get; }

    public JpegHuffmanTable Dc { get; }

    public JpegHuffmanTable Ac { get; }

    public short[] Steps { get; }

    public int Left { get; }

    public int Top { get; }

    public int Right { get; }

    public int Bottom { get; }
}
