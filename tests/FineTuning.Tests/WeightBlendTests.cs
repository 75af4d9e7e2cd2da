using ClipSae.Clip.Model;
using ClipSae.FineTuning.Validation;
using ClipSae.TestKit.Files;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Tests;

public sealed class WeightBlendTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(0.25)]
    [InlineData(1)]
    public void Weights_lie_between_base_and_tuned(double alpha)
    {
        using var scope = NewDisposeScope();
        var (first, second) = (_folder.File("base.safetensors"), _folder.File("tuned.safetensors"));
        using var from = ClipModel.Initialize(TuningSetup.Architecture, 5);
        using var to = TuningSetup.Model(6);
        from.Save(first);
        to.Save(second);
        using var blend = new WeightBlend(first, second, CPU);
        using var mixture = blend.At(alpha);

        mixture.IsGeometric.ShouldBeFalse();
        var (start, end) = (from.PlainStateDict(), to.PlainStateDict());
        foreach (var (key, weight) in mixture.StateDict())
        {
            var expected = start[key].mul(tensor((float)(1 - alpha))).add(end[key].mul(tensor((float)alpha)));
            (weight - expected).abs().max().item<float>().ShouldBeLessThan(1e-6f, key);
        }
    }
}
