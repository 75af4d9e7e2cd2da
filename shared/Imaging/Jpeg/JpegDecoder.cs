using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ClipSae.Imaging.Pixels;

namespace ClipSae.Imaging.Jpeg;

/// <summary>
/// Decodes baseline JPEG to RGB, or CMYK where it has four components, with the results of libjpeg-turbo's defaults (accurate integer
/// transform, triangle-filtered chroma), which are Pillow's. Blocks outside the asked region are parsed, not transformed, and rows below it
/// not even parsed. Keeps its buffers.
/// </summary>
internal sealed class JpegDecoder
{
    /// <summary>Buffers beyond this are not kept for the next picture.</summary>
    private const int KeptBytes = 32 << 20;

    private readonly JpegEntropyData _entropy = new();
    private readonly byte[][] _planes =
    [
        [],
        [],
        [],
        [],
    ];
    private byte[] _rows = [];
    private byte[] _colours = [];
    private short[] _sums = [];

    public static bool IsSupported => JpegTransform.IsSupported;

    /// <param name="pixels">Receives [region.Height, region.Width, 3], or 4 where the frame's mode is CMYK.</param>
    /// <returns>False where the data is damaged or of a rare kind: the general decoder must judge it.</returns>
    public bool TryDecode(ReadOnlySpan<byte> file, JpegFrame frame, ImageRegion region, Span<byte> pixels)
    {
        if (!_entropy.Read(file[frame.Scan..]) || !Prepare(frame))
        {
            return false;
        }

        if (!DecodeUnits(frame, region))
        {
            return false;
        }

        Convert(frame, region, pixels);
        for (var plane = 0; plane < _planes.Length; plane++)
        {
            _planes[plane] = _planes[plane].Length > KeptBytes ? [] : _planes[plane];
        }

        return true;
    }

    private bool Prepare(JpegFrame frame)
    {
        var (across, down) = (frame.MaxAcross, frame.MaxDown);
        for (var index = 0; index < frame.Components.Count; index++)
        {
            var component = frame.Components[index];
            component.Width = (frame.Width * component.Across + across - 1) / across;
            component.Height = (frame.Height * component.Down + down - 1) / down;
            component.Stride = Units(frame.Width, across) * component.Across * 8;
            var length = (long)component.Stride * Units(frame.Height, down) * component.Down * 8;
            if (length > Array.MaxLength || (component.Across < across && component.Width <= 2))
            {
                return false;
            }

            if (_planes[index].Length < length)
            {
                _planes[index] = GC.AllocateUninitializedArray<byte>((int)length);
            }

            component.Samples = _planes[index];
        }

        return true;
    }

    private static int Units(int size, int blocks) => (size + blocks * 8 - 1) / (blocks * 8);

    private bool DecodeUnits(JpegFrame frame, ImageRegion region)
    {
        var (across, down) = (Units(frame.Width, frame.MaxAcross), Units(frame.Height, frame.MaxDown));
        var plans = frame.Components.Select(component => new JpegBlockPlan(frame, component, region)).ToArray();
        var lastRow = Math.Min(down, plans.Max(plan => (plan.Bottom + plan.Component.Down - 1) / plan.Component.Down));
        var interval = frame.RestartInterval == 0 ? int.MaxValue : frame.RestartInterval;
        var segments = _entropy.Segments;
        if (segments.Count != (frame.RestartInterval == 0 ? 1 : ((long)across * down + interval - 1) / interval))
        {
            return false;
        }

        Span<short> block = stackalloc short[64];
        block.Clear();
        var bits = new JpegBits(_entropy.Data, segments[0].Start);
        var (segment, left, end) = (0, interval, segments[0].End * 8L);
        for (var y = 0; y < lastRow; y++)
        {
            for (var x = 0; x < across; x++, left--)
            {
                if (left == 0)
                {
                    segment++;
                    (left, end) = (interval, segments[segment].End * 8L);
                    bits = new JpegBits(_entropy.Data, segments[segment].Start);
                    foreach (var plan in plans)
                    {
                        plan.Component.Dc = 0;
                    }
                }

                foreach (var plan in plans)
                {
                    if (!DecodeUnit(ref bits, plan, x, y, block))
                    {
                        return false;
                    }
                }

                if (bits.Position > end)
                {
                    return false;
                }
            }
        }

        return true;
    }

    private static bool DecodeUnit(ref JpegBits bits, JpegBlockPlan plan, int x, int y, scoped Span<short> block)
    {
        var component = plan.Component;
        for (var row = y * component.Down; row < (y + 1) * component.Down; row++)
        {
            for (var column = x * component.Across; column < (x + 1) * component.Across; column++)
            {
                if (!ReadBlock(ref bits, plan, block, out var onlyDc))
                {
                    return false;
                }

                if (row >= plan.Top && row < plan.Bottom && column >= plan.Left && column < plan.Right)
                {
                    ref var place = ref component.Samples[(row * component.Stride + column) * 8];
                    if (onlyDc)
                    {
                        JpegTransform.Fill(block[0], plan.Steps[0], ref place, component.Stride);
                    }
                    else
                    {
                        JpegTransform.Inverse(block, plan.Steps, ref place, component.Stride);
                    }
                }

                if (onlyDc)
                {
                    block[0] = 0;
                }
                else
                {
                    block.Clear();
                }
            }
        }

        return true;
    }

    /// <summary>Reads one block's coefficients into natural order (ITU T.81, F.2.2).</summary>
    private static bool ReadBlock(ref JpegBits bits, JpegBlockPlan plan, scoped Span<short> block, out bool onlyDc)
    {
        onlyDc = false;
        if (!ReadSymbol(ref bits, plan.Dc, out var size) || size > 15)
        {
            return false;
        }

        plan.Component.Dc += size == 0 ? 0 : bits.Receive(size);
        ref var coefficients = ref MemoryMarshal.GetReference(block);
        coefficients = (short)plan.Component.Dc;

        ref var fastest = ref MemoryMarshal.GetArrayDataReference(plan.Ac.Fast);
        ref var zigzag = ref MemoryMarshal.GetArrayDataReference(JpegFrame.Zigzag);
        var place = 1;
        do
        {
            if (bits.NeedsRefill)
            {
                bits.Refill();
            }

            var fast = Unsafe.Add(ref fastest, (nint)(bits.Window >> (64 - JpegHuffmanTable.LookupBits)));
            if (fast != 0)
            {
                place += (fast >> 8) & 255;
                bits.Skip(fast & 255);
                Unsafe.Add(ref coefficients, Unsafe.Add(ref zigzag, place++)) = (short)(fast >> 16);
                continue;
            }

            if (!ReadSymbol(ref bits, plan.Ac, out var symbol))
            {
                return false;
            }

            size = symbol & 15;
            if (size == 0)
            {
                if (symbol != 0xF0)
                {
                    onlyDc = place == 1;
                    return symbol == 0;
                }

                place += 16;
                continue;
            }

            place += symbol >> 4;
            Unsafe.Add(ref coefficients, Unsafe.Add(ref zigzag, place++)) = (short)bits.Receive(size);
        } while (place < 64);
        return place == 64;
    }

    private static bool ReadSymbol(ref JpegBits bits, JpegHuffmanTable table, out int symbol)
    {
        if (bits.NeedsRefill)
        {
            bits.Refill();
        }

        var code = table.Codes[(int)(bits.Window >> (64 - JpegHuffmanTable.LookupBits))];
        var length = code & 255;
        symbol = code >> 8;
        if (length == 0)
        {
            (symbol, length) = table.Find((int)(bits.Window >> 48));
        }

        bits.Skip(length);
        return length <= 16;
    }

    private void Convert(JpegFrame frame, ImageRegion region, Span<byte> pixels)
    {
        var luma = frame.Components[0];
        var doubled = 2 * luma.Stride;
        if (_rows.Length < 2 * doubled)
        {
            _rows = new byte[2 * doubled];
            _sums = new short[luma.Stride];
        }

        for (var row = 0; row < region.Height; row++)
        {
            var y = region.Top + row;
            var lumas = luma.Samples.AsSpan(y * luma.Stride + region.Left, region.Width);
            var result = pixels.Slice(
                row * region.Width * DecodedImage.BytesOf(frame.Mode),
                region.Width * DecodedImage.BytesOf(frame.Mode)
            );
            if (frame.Mode == PixelMode.Cmyk && !frame.IsYcck)
            {
                JpegColour.Inverted(
                    [.. frame.Components.Select(component => component.Samples.AsMemory(y * component.Stride + region.Left, region.Width))],
                    result
                );
                continue;
            }

            if (frame.Components.Count == 1)
            {
                JpegColour.Grey(lumas, result);
                continue;
            }

            var blues = Chroma(frame.Components[1], luma, y, _rows.AsSpan(0, doubled));
            var reds = Chroma(frame.Components[2], luma, y, _rows.AsSpan(doubled, doubled));
            if (frame.IsYcck)
            {
                _colours = _colours.Length < 3 * region.Width ? new byte[3 * region.Width] : _colours;
                JpegColour.ToRgb(
                    lumas,
                    blues.Slice(region.Left, region.Width),
                    reds.Slice(region.Left, region.Width),
                    _colours.AsSpan(0, 3 * region.Width)
                );
                JpegColour.WithBlack(_colours, frame.Components[3].Samples.AsSpan(y * luma.Stride + region.Left, region.Width), result);
                continue;
            }

            JpegColour.ToRgb(lumas, blues.Slice(region.Left, region.Width), reds.Slice(region.Left, region.Width), result);
        }
    }

    /// <summary>A chroma component's row at the luma's resolution.</summary>
    private ReadOnlySpan<byte> Chroma(JpegComponent component, JpegComponent luma, int y, Span<byte> result)
    {
        if (luma.Across == 1)
        {
            return component.Samples.AsSpan(y * component.Stride, component.Stride);
        }

        var near = y / luma.Down;
        var nearRow = component.Samples.AsSpan(near * component.Stride, component.Width);
        if (luma.Down == 1)
        {
            JpegColour.DoubleWidth(nearRow, result);
            return result;
        }

        var far = Math.Clamp(near + ((y & 1) == 0 ? -1 : 1), 0, component.Height - 1);
        JpegColour.DoubleBoth(nearRow, component.Samples.AsSpan(far * component.Stride, component.Width), _sums, result);
        return result;
    }
}
