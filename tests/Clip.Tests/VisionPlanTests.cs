using ClipSae.Clip.Architecture;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.TestKit.Files;
using TorchSharp;

namespace ClipSae.Clip.Tests;

/// <summary>The plan against the reference files and against the model it was made from.</summary>
public sealed class VisionPlanTests : IDisposable
{
    private readonly DisposeScope _scope = torch.NewDisposeScope();
    private readonly ClipModel _model = ClipModel.Load(ReferenceFiles.Model);
    private readonly VisionPlan _plan;
    private readonly torch.Tensor _images = ReferenceFiles.Read(ReferenceFiles.Expected, "image");

    public VisionPlanTests() => _plan = VisionPlan.Compile(_model);

    public void Dispose()
    {
        _plan.Dispose();
        _model.Dispose();
        _scope.Dispose();
    }

    [Fact]
    public void Features_agree_with_the_original_code() =>
        ReferenceFiles
            .RelativeError(_plan.EncodeImage(_images), ReferenceFiles.Read(ReferenceFiles.Expected, "image_features"))
            .ShouldBeLessThan(1e-5);

    [Fact]
    public void Geometric_model_gives_its_own_features()
    {
        using var geometric = ClipModel.Load(ReferenceFiles.GeometricModel);
        using var compiled = VisionPlan.Compile(geometric);
        ReferenceFiles
            .RelativeError(compiled.EncodeImage(_images), ReferenceFiles.Read(ReferenceFiles.GeometricExpected, "image_features"))
            .ShouldBeLessThan(1e-5);
    }

    [Fact]
    public void Every_block_agrees_with_the_original_code()
    {
        var hooks = new Hooks();
        for (var layer = 0; layer < 3; layer++)
        {
            hooks.Capture(new HookPoint.Residual(layer)).Capture(new HookPoint.Mlp(layer));
        }

        _plan.EncodeImage(_images, hooks);
        for (var layer = 0; layer < 3; layer++)
        {
            var before = ReferenceFiles.Read(ReferenceFiles.Expected, $"visual.resblocks.{layer}.mlp.c_fc.output");
            ReferenceFiles
                .RelativeError(
                    hooks.Captured(new HookPoint.Residual(layer)),
                    ReferenceFiles.Read(ReferenceFiles.Expected, $"visual.resblocks.{layer}.output")
                )
                .ShouldBeLessThan(1e-5);
            ReferenceFiles
                .RelativeError(hooks.Captured(new HookPoint.Mlp(layer)), before * torch.sigmoid(1.702 * before))
                .ShouldBeLessThan(1e-5);
        }
    }

    [Theory]
    [InlineData("image-embedding")]
    [InlineData("cls@0")]
    [InlineData("cls@2")]
    [InlineData("residual@1")]
    [InlineData("residual@2")]
    [InlineData("mlp@0")]
    [InlineData("mlp@2")]
    public void Hooks_do_what_they_do_in_the_model(string name)
    {
        var point = HookPoint.Parse(name);
        Hooks Make() => new Hooks().Capture(point).Scale(point, torch.tensor(new long[] { 1, 2 }), 3).Replace(point, x => x * 0.5);
        var (inModel, inPlan) = (Make(), Make());
        var before = _plan.EncodeImage(_images);
        ReferenceFiles.RelativeError(_plan.EncodeImage(_images, inPlan), _model.EncodeImage(_images, inModel)).ShouldBeLessThan(1e-5);
        ReferenceFiles.RelativeError(inPlan.Captured(point), inModel.Captured(point)).ShouldBeLessThan(1e-5);
        _plan.EncodeImage(_images).Equals(before).ShouldBeTrue();
    }

    [Theory]
    [InlineData("mlp@0")]
    [InlineData("residual@1")]
    [InlineData("cls@0,mlp@1")]
    [InlineData("cls@1,image-embedding")]
    public void Running_only_as_deep_as_needed_captures_the_same(string names)
    {
        var points = names.Split(',').Select(HookPoint.Parse).ToArray();
        var (shallow, whole) = (new Hooks(), new Hooks());
        foreach (var point in points)
        {
            shallow.Capture(point);
            whole.Capture(point);
        }

        _plan.Run(_images, shallow);
        _plan.EncodeImage(_images, whole);
        foreach (var point in points)
        {
            shallow.Captured(point).Equals(whole.Captured(point)).ShouldBeTrue();
        }
    }

    [Fact]
    public void A_picture_alone_gives_what_it_gives_in_a_batch()
    {
        var all = _plan.EncodeImage(_images);
        var one = _plan.EncodeImage(_images.narrow(0, 1, 1));
        ReferenceFiles.RelativeError(one, all.narrow(0, 1, 1)).ShouldBeLessThan(1e-6);
    }

    [Fact]
    public void Bfloat16_features_point_where_float32_features_point()
    {
        using var half = VisionPlan.Compile(_model, torch.bfloat16);
        var cosine = torch.nn.functional.cosine_similarity(half.EncodeImage(_images).to(torch.float32), _plan.EncodeImage(_images), 1);
        // bfloat16 keeps 8 bits: a relative rounding of 2^-9 an operation leaves the cosine this close over three blocks.
        cosine.min().item<float>().ShouldBeGreaterThan(0.9995f);
    }
}
