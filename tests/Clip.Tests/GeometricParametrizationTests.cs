using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.TestKit.Files;
using TorchSharp;

namespace ClipSae.Clip.Tests;

public sealed class GeometricParametrizationTests : IDisposable
{
    private readonly DisposeScope _scope = torch.NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void Round_trip_holds_to_float32_rounding()
    {
        using var plain = ClipModel.Load(ReferenceFiles.Model);
        using var geometric = ClipModel.Load(ReferenceFiles.Model);
        geometric.ToGeometric();
        geometric.IsGeometric.ShouldBeTrue();
        foreach (var (key, weight) in plain.StateDict())
        {
            // Norm, quotient and product each round once: a few units in the last place, 2^-23.
            ReferenceFiles.RelativeError(geometric.PlainStateDict()[key], weight).ShouldBeLessThan(4 * Math.Pow(2, -23), key);
        }
    }

    [Fact]
    public void Only_the_MLP_layers_change_and_their_keys_are_the_original_s()
    {
        using var geometric = ClipModel.Load(ReferenceFiles.Model);
        using var twin = ClipModel.Load(ReferenceFiles.GeometricModel);
        geometric.ToGeometric();
        geometric.StateDict().Keys.Order().ShouldBe(twin.StateDict().Keys.Order());
    }

    [Fact]
    public void Gradient_on_theta_is_at_right_angles_to_it()
    {
        // W depends on θ's direction alone, so the gradient along θ is zero row by row.
        using var model = ClipModel.Load(ReferenceFiles.GeometricModel);
        model.EncodeImage(ReferenceFiles.Read(ReferenceFiles.Expected, "image")).square().sum().backward();
        var theta = model.named_parameters().Single(p => p.name == "visual.transformer.resblocks.0.mlp.c_fc.theta").parameter;
        using var noGrad = torch.no_grad();
        var along = (theta.grad! * theta).sum(1).abs().max() / (theta.grad!.norm(1) * theta.norm(1)).max();
        along.item<float>().ShouldBeLessThan(1e-5f);
    }

    [Fact]
    public void A_zero_row_stays_zero()
    {
        var weight = torch.randn(4, 6);
        weight[2] = torch.zeros(6);
        var (radius, theta) = GeometricParametrization.Split(weight);
        var back = GeometricParametrization.Materialize(radius, theta);
        back[2].abs().max().item<float>().ShouldBe(0);
        back.isfinite().all().item<bool>().ShouldBeTrue();
    }

    [Theory]
    [InlineData(".r", "c_fc.r' is missing")]
    [InlineData(".theta", "c_fc.theta' is missing")]
    public void Missing_partner_is_named(string ending, string message)
    {
        using var model = ClipModel.Load(ReferenceFiles.GeometricModel);
        var weights = model.StateDict().ToDictionary();
        weights.Remove("visual.transformer.resblocks.0.mlp.c_fc" + ending);
        Should.Throw<UserErrorException>(() => ClipModel.FromStateDict(weights)).Message.ShouldContain(message);
    }

    [Fact]
    public void Weight_beside_theta_is_refused()
    {
        using var model = ClipModel.Load(ReferenceFiles.GeometricModel);
        var weights = model.StateDict().ToDictionary();
        weights["visual.transformer.resblocks.0.mlp.c_fc.weight"] = torch.zeros(512, 128);
        Should
            .Throw<UserErrorException>(() => ClipModel.FromStateDict(weights))
            .Message.ShouldContain("'visual.transformer.resblocks.0.mlp.c_fc.weight' and");
    }
}
