using ClipSae.Clip.Model;
using ClipSae.FineTuning.Validation;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Tests;

public sealed class WeightBlendTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("blend").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(0)]
    [InlineData(0.25)]
    [InlineData(1)]
    public void Weights_lie_between_base_and_tuned(double alpha)
    {
        using var scope = NewDisposeScope();
        var (first, second) = (Path.Combine(_folder, "base.safetensors"), Path.Combine(_folder, "tuned.safetensors"));
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
