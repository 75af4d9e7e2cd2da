namespace ClipSae.Imaging.Resizing;

/// <summary>
/// One of Pillow's antialiased filters along one axis for the outputs that the centre crop keeps: for each output where its taps start and
/// their weights in 22-bit fixed point (Pillow's <c>precompute_coeffs</c> and <c>normalize_coeffs_8bpc</c>).
/// </summary>
internal sealed class ResizeAxis
{
    /// <summary>32 bits less 8 of the pixel and 2 of head room: Pillow's PRECISION_BITS.</summary>
    public const int PrecisionBits = 32 - 8 - 2;

    /// <summary>Weights are split as high · 2¹⁵ + low, so that both halves fit signed 16-bit multipliers.</summary>
    public const int LowBits = 15;

    /// <param name="size">Pixels of the source along this axis.</param>
    /// <param name="resized">Pixels after resizing.</param>
    /// <param name="first">First output that is kept.</param>
    /// <param name="count">Outputs that are kept.</param>
    /// <param name="kind">Which filter.</param>
    public ResizeAxis(int size, int resized, int first, int count, ResizeFilter kind)
    {
        var filter = new Filter(size, resized, kind);
        Count = count;
        // Rounded up to whole groups of four taps, the unit in which the vector code reads.
        Taps = (filter.MaxTaps + 3) / 4 * 4;
        Starts = new int[count];
        Lengths = new int[count];
        Weights = new int[count * Taps];
        Span<double> row = new double[Taps];
        for (var output = 0; output < count; output++)
        {
            var (start, length, sum) = filter.At(first + output, row);
            for (var tap = 0; tap < length; tap++)
            {
                var weight = row[tap] / sum * (1 << PrecisionBits);
                Weights[output * Taps + tap] = (int)(weight < 0 ? weight - 0.5 : weight + 0.5);
            }

            Starts[output] = start;
            Lengths[output] = length;
        }

        Packed = Pack();
        Begin = Starts[0];
        End = Starts[^1] + Lengths[^1];
    }

    public int Count { get; }

    /// <summary>Weights stored for each output, a multiple of four, zero behind <see cref="Lengths"/>.</summary>
    public int Taps { get; }

    public int[] Starts { get; }

    public int[] Lengths { get; }

    /// <summary>[count, taps].</summary>
    public int[] Weights { get; }

    /// <summary>
    /// The weights as the horizontal pass multiplies them, [count, taps / 4, 4]: high halves of taps 0, 1 and 2, 3, low halves of 0, 1 and
    /// 2, 3.
    /// </summary>
    public int[] Packed { get; }

    /// <summary>First source pixel that any kept output needs.</summary>
    public int Begin { get; }

    /// <summary>One past the last source pixel that any kept output needs.</summary>
    public int End { get; }

    /// <summary>
    /// The filter's weights before they become fixed point, as Pillow applies them to 32-bit pixels: where each output's taps start, and
    /// their shares.
    /// </summary>
    /// <param name="size">Pixels of the source along this axis.</param>
    /// <param name="resized">Pixels after resizing.</param>
    /// <param name="first">First output that is kept.</param>
    /// <param name="count">Outputs that are kept.</param>
    /// <param name="kind">Which filter.</param>
    public static (int Start, double[] Shares)[] Exact(int size, int resized, int first, int count, ResizeFilter kind)
    {
        var filter = new Filter(size, resized, kind);
        Span<double> row = new double[filter.MaxTaps];
        var outputs = new (int, double[])[count];
        for (var output = 0; output < count; output++)
        {
            var (start, length, sum) = filter.At(first + output, row);
            var shares = row[..length].ToArray();
            for (var tap = 0; tap < length; tap++)
            {
                shares[tap] /= sum;
            }

            outputs[output] = (start, shares);
        }

        return outputs;
    }

    private int[] Pack()
    {
        var packed = new int[Weights.Length];
        for (var group = 0; group < Weights.Length; group += 4)
        {
            (packed[group], packed[group + 2]) = BicubicResize.Split(Weights[group], Weights[group + 1]);
            (packed[group + 1], packed[group + 3]) = BicubicResize.Split(Weights[group + 2], Weights[group + 3]);
        }

        return packed;
    }

    /// <summary>Pillow's <c>precompute_coeffs</c>.</summary>
    private readonly struct Filter(int size, int resized, ResizeFilter kind)
    {
        private readonly double _support = kind == ResizeFilter.Bicubic ? 2 : 1;
        private readonly double _scale = (double)size / resized;
        private readonly double _filterScale = Math.Max((double)size / resized, 1.0);

        public int MaxTaps => (int)Math.Ceiling(_support * _filterScale) * 2 + 1;

        /// <summary>Where an output's taps start, how many they are, and the sum of their weights.</summary>
        /// <param name="row">Receives the weights.</param>
        public (int Start, int Length, double Sum) At(int output, Span<double> row)
        {
            var centre = (output + 0.5) * _scale;
            var support = _support * _filterScale;
            var start = Math.Max(0, (int)(centre - support + 0.5));
            var length = Math.Min(size, (int)(centre + support + 0.5)) - start;
            var sum = 0.0;
            for (var tap = 0; tap < length; tap++)
            {
                var x = Math.Abs((tap + start - centre + 0.5) / _filterScale);
                row[tap] = kind == ResizeFilter.Bicubic ? Bicubic(x) : Math.Max(0, 1 - x);
                sum += row[tap];
            }

            return (start, length, sum);
        }
    }

    /// <summary>Keys' cubic with a = −0.5.</summary>
    private static double Bicubic(double x)
    {
        const double a = -0.5;
        return x switch
        {
            < 1.0 => ((a + 2.0) * x - (a + 3.0)) * x * x + 1,
            < 2.0 => (((x - 5) * x + 8) * x - 4) * a,
            _ => 0.0,
        };
    }
}
