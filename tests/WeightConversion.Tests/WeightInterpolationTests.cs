using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Model;
using ClipSae.TestKit.Files;
using ClipSae.WeightConversion.Weights;
using TorchSharp;

namespace ClipSae.WeightConversion.Tests;

public sealed class WeightInterpolationTests : IDisposable
{
    private const string Layer = "visual.transformer.resblocks.1.mlp.c_fc.weight";
    private static readonly ConversionSource Base = new(ReferenceFiles.Model, "base");
    private static readonly ConversionSource Tuned = new(ReferenceFiles.GeometricModel, "tuned");

    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = torch.NewDisposeScope();

    [Fact]
    public void The_ends_are_the_two_models_exactly()
    {
        Weight(Mix(0)).Equals(Weight(Base.Path)).ShouldBeTrue();
        Weight(Mix(1)).Equals(Weight(Tuned.Path)).ShouldBeTrue();
    }

    // r and theta of a mean are not the means of r and theta; the weights themselves are mixed.
    [Fact]
    public void Between_them_the_plain_weights_are_mixed()
    {
        var expected = (Weight(Base.Path) * 0.7f) + (Weight(Tuned.Path) * 0.3f);

        Weight(Mix(0.3)).allclose(expected, rtol: 1e-6, atol: 1e-8).ShouldBeTrue();
        Weight(Base.Path).allclose(Weight(Tuned.Path), rtol: 1e-3, atol: 1e-3).ShouldBeFalse();
    }

    [Fact]
    public void Models_of_two_architectures_and_shares_out_of_range_are_refused()
    {
        using (var model = ClipModel.Initialize(new ClipArchitecture(8, 8, 1, 64, 4, 77, 514, 64, 1), seed: 0))
        {
            model.Save(_folder.File("other.safetensors"));
        }

        Should
            .Throw<UserErrorException>(() =>
                WeightInterpolation.Write(Base, new ConversionSource(_folder.File("other.safetensors"), "other"), 0.5, _folder.File("x"))
            )
            .Message.ShouldContain("other");
        Should.Throw<UserErrorException>(() => Mix(double.NaN)).Message.ShouldContain("alpha");
    }

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    private string Mix(double alpha)
    {
        WeightInterpolation.Write(Base, Tuned, alpha, _folder.File("mixed.safetensors"));
        return _folder.File("mixed.safetensors");
    }

    private static torch.Tensor Weight(string path)
    {
        using var checkpoint = ClipCheckpoint.Open(path);
        return new PlainWeights(checkpoint).Read(Layer);
    }
}
