using TorchSharp;

namespace ClipSae.Tensors.Tests;

public class AlignedTensorTests
{
    [Fact]
    public void A_product_has_the_same_bits_wherever_the_values_lay()
    {
        var random = new Random(1);
        var (left, right) = (Values(random, 80 * 64), Values(random, 2 * 64));
        var products = Enumerable
            .Range(0, 32)
            .Select(offset =>
            {
                using var scope = torch.NewDisposeScope();
                var a = new float[left.Length + 32];
                var b = new float[right.Length + 32];
                left.CopyTo(a, offset);
                right.CopyTo(b, 31 - offset);
                var (first, second) = (
                    AlignedTensor.Of(a.AsSpan(offset, left.Length), 80, 64),
                    AlignedTensor.Of(b.AsSpan(31 - offset, right.Length), 2, 64)
                );
                (LargePages.Address(first) % 64).ShouldBe(0);
                (LargePages.Address(second) % 64).ShouldBe(0);
                return Convert.ToHexString(first.matmul(second.t()).bytes);
            });

        products.Distinct().ShouldHaveSingleItem();
    }

    [Fact]
    public void Values_are_copied_in_their_order_and_must_fill_the_shape()
    {
        using var scope = torch.NewDisposeScope();
        double[] values = [1, 2, 3, 4, 5, 6];
        var tensor = AlignedTensor.Of(values, 2, 3);
        values[0] = 9;
        tensor[1, 0].item<double>().ShouldBe(4);
        tensor[0, 0].item<double>().ShouldBe(1);
        AlignedTensor.Of(ReadOnlySpan<float>.Empty, 0, 3).shape.ShouldBe([0, 3]);
        Should.Throw<ArgumentException>(() => AlignedTensor.Of(values, 2, 2));
    }

    private static float[] Values(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
}
