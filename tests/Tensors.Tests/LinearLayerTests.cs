using TorchSharp;

namespace ClipSae.Tensors.Tests;

public class LinearLayerTests
{
    [Theory]
    [InlineData(1, 8, 8)]
    [InlineData(63, 16, 48)]
    [InlineData(64, 16, 48)]
    [InlineData(333, 96, 33)]
    [InlineData(2056, 40, 8)]
    public void ValuesAreThoseOfTheDefinition(long rows, long inputs, long outputs)
    {
        using var scope = torch.NewDisposeScope();
        var (x, weight, bias) = Layer(rows, inputs, outputs);
        var exact = x.to(torch.float64).matmul(weight.to(torch.float64).t()) + bias.to(torch.float64);

        Assert.InRange(LargestDifference(LinearLayer.Apply(x, weight, bias), exact), 0, 3e-5);
        Assert.InRange(LargestDifference(LinearLayer.Apply(x, weight), exact - bias.to(torch.float64)), 0, 3e-5);
    }

    [Fact]
    public void LeadingAxesAndViewsStayWhatTheyAre()
    {
        using var scope = torch.NewDisposeScope();
        var (x, weight, bias) = Layer(12 * 30, 16, 24);
        var batched = x.view(12, 30, 16);

        Assert.Equal([12, 30, 24], LinearLayer.Apply(batched, weight, bias).shape);
        Assert.InRange(
            LargestDifference(
                LinearLayer.Apply(batched.transpose(0, 1), weight, bias),
                LinearLayer.Apply(x, weight, bias).view(12, 30, 24).transpose(0, 1)
            ),
            0,
            3e-5
        );
        Assert.InRange(
            LargestDifference(
                LinearLayer.Apply(x, weight.narrow(0, 8, 8), bias.narrow(0, 8, 8)),
                LinearLayer.Apply(x, weight, bias).narrow(1, 8, 8)
            ),
            0,
            3e-5
        );
    }

    [Theory]
    [InlineData(20)]
    [InlineData(200)]
    public void GradientsAreThoseOfTheDefinition(long rows)
    {
        using var scope = torch.NewDisposeScope();
        var (x, weight, bias) = Layer(rows, 24, 40);
        var upstream = torch.randn(rows, 40);
        torch.Tensor[] ours = [.. new[] { x, weight, bias }.Select(t => t.clone().requires_grad_())];
        (LinearLayer.Apply(ours[0], ours[1], ours[2]) * upstream).sum().backward();

        Assert.InRange(LargestDifference(ours[0].grad!, upstream.mm(weight)), 0, 1e-4);
        Assert.InRange(LargestDifference(ours[1].grad!, upstream.t().mm(x)), 0, 1e-4);
        Assert.InRange(LargestDifference(ours[2].grad!, upstream.sum([0L])), 0, 1e-4);
    }

    [Fact]
    public void TheSameInputGivesTheSameBits()
    {
        using var scope = torch.NewDisposeScope();
        var (x, weight, bias) = Layer(500, 64, 96);

        Assert.Equal(
            LinearLayer.Apply(x, weight, bias).data<float>().ToArray(),
            LinearLayer.Apply(x.clone(), weight.clone(), bias.clone()).data<float>().ToArray()
        );
    }

    [Fact]
    public void OtherTypesKeepTheirType()
    {
        using var scope = torch.NewDisposeScope();
        var (x, weight, bias) = Layer(100, 32, 16);
        var narrow = LinearLayer.Apply(x.to(torch.bfloat16), weight.to(torch.bfloat16), bias.to(torch.bfloat16));

        Assert.Equal(torch.bfloat16, narrow.dtype);
        Assert.InRange(LargestDifference(narrow, LinearLayer.Apply(x, weight, bias)), 0, 0.2);
    }

    private static (torch.Tensor X, torch.Tensor Weight, torch.Tensor Bias) Layer(long rows, long inputs, long outputs)
    {
        using var generator = new torch.Generator(7);
        return (
            torch.randn([rows, inputs], generator: generator),
            torch.randn([outputs, inputs], generator: generator),
            torch.randn([outputs], generator: generator)
        );
    }

    private static double LargestDifference(torch.Tensor ours, torch.Tensor theirs) =>
        (ours.to(torch.float64) - theirs.to(torch.float64)).abs().max().item<double>();
}
