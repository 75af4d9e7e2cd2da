using TorchSharp;
using static TorchSharp.torch;

namespace ClipSae.Tensors;

/// <summary>
/// Arithmetic of tensors with plain numbers, and sums. TorchSharp wraps each number in a <see cref="Scalar"/> that it does not hold during
/// the native call (its operators and <c>add</c> do so inside, with a factor of 1), so that a collection at the wrong moment frees the
/// number while libtorch reads it. Here every number lives as long as its call; a test of the architecture sees that no other code makes
/// one.
/// </summary>
/// <remarks>
/// Results have the bits that TorchSharp's own operators give. Methods that end in <c>InPlace</c> change their tensor and return it.
/// </remarks>
public static class TensorArithmetic
{
    // Never freed.
    private static readonly Scalar One = 1,
        Two = 2;

    extension(Tensor x)
    {
        /// <summary>x + y, broadcast.</summary>
        public Tensor Plus(Tensor y) => x.add(y, One);

        /// <summary>x + <paramref name="number"/>.</summary>
        public Tensor Plus(double number) => With(number, n => x.add(n, One));

        /// <summary>x − <paramref name="number"/>.</summary>
        public Tensor Minus(double number) => With(number, x.sub);

        /// <summary>x · <paramref name="number"/>.</summary>
        public Tensor Times(double number) => With(number, x.mul);

        /// <summary>x / <paramref name="number"/>.</summary>
        public Tensor Over(double number) => With(number, n => x.div(n));

        /// <summary>x².</summary>
        public Tensor Squared() => x.pow(Two);

        /// <summary>The larger of x and <paramref name="min"/>.</summary>
        public Tensor AtLeast(double min) => With(min, x.clamp_min);

        /// <summary>The smaller of x and <paramref name="max"/>.</summary>
        public Tensor AtMost(double max) => With(max, x.clamp_max);

        /// <summary>Where x is above <paramref name="number"/>, bool.</summary>
        public Tensor IsAbove(double number) => With(number, x.gt);

        /// <summary>x with <paramref name="number"/> where <paramref name="mask"/> is true.</summary>
        public Tensor FilledWhere(Tensor mask, double number) => With(number, n => x.masked_fill(mask, n));

        /// <summary>Adds <paramref name="factor"/> · y.</summary>
        public Tensor AddInPlace(Tensor y, double factor) => With(factor, n => x.add_(y, n));

        /// <summary>Adds y, broadcast.</summary>
        public Tensor AddInPlace(Tensor y) => x.add_(y, One);

        /// <summary>Adds <paramref name="number"/>.</summary>
        public Tensor AddInPlace(double number) => With(number, n => x.add_(n, One));

        /// <summary>Adds a whole <paramref name="number"/>, to tensors of whole numbers too.</summary>
        public Tensor AddInPlace(long number)
        {
            using Scalar held = number;
            return x.add_(held, One);
        }

        /// <summary>Multiplies by <paramref name="number"/>.</summary>
        public Tensor MultiplyInPlace(double number) => With(number, x.mul_);

        /// <summary>Divides by <paramref name="number"/>.</summary>
        public Tensor DivideInPlace(double number) => With(number, n => x.div_(n));

        /// <summary>Adds <paramref name="factor"/> · a · b.</summary>
        public Tensor AddProductInPlace(Tensor a, Tensor b, double factor) => With(factor, n => x.addcmul_(a, b, n));

        /// <summary>Adds <paramref name="factor"/> · a / b.</summary>
        public Tensor AddQuotientInPlace(Tensor a, Tensor b, double factor) => With(factor, n => x.addcdiv_(a, b, n));

        /// <summary>Sets the places <paramref name="index"/> [n] of axis <paramref name="axis"/> to <paramref name="number"/>.</summary>
        public Tensor FillInPlace(long axis, Tensor index, double number) => With(number, n => x.index_fill_(axis, index, n));
    }

    /// <summary>0, 1, … below <paramref name="count"/>, int64 unless another type is named.</summary>
    public static Tensor Range(long count, ScalarType type = ScalarType.Int64, Device? device = null)
    {
        using Scalar start = 0L,
            stop = count,
            step = 1L;
        return arange(start, stop, step, type, device);
    }

    /// <summary>A tensor of <paramref name="shape"/>, float32, every element <paramref name="number"/>.</summary>
    public static Tensor Constant(ReadOnlySpan<long> shape, double number, Device? device = null)
    {
        using Scalar held = number;
        return full(shape, held, float32, device);
    }

    private static Tensor With(double number, Func<Scalar, Tensor> operation)
    {
        using Scalar held = number;
        return operation(held);
    }
}
