using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.FineTuning.Pretraining;
using ClipSae.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Tests;

public sealed class ImageAugmentationTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void What_is_printed_is_neither_cut_nor_mirrored()
    {
        var images = Pictures(32);
        var sut = new ImageAugmenter(new ImageAugmentation { Crop = 0.5, Jitter = 0 }, seed: 1);

        (sut.Vary(images, [.. Enumerable.Repeat(true, 32)], step: 0) - images).abs().max().item<float>().ShouldBeLessThan(1e-4f);
        (sut.Vary(images, new bool[32], step: 0) - images).abs().amax([1, 2, 3]).min().item<float>().ShouldBeGreaterThan(1e-3f);
    }

    [Fact]
    public void Half_of_the_pictures_are_mirrored()
    {
        var images = Pictures(64);
        var varied = new ImageAugmenter(new ImageAugmentation { Crop = 1, Jitter = 0 }, seed: 1).Vary(images, new bool[64], step: 0);

        var same = (varied - images).abs().amax([1, 2, 3]).data<float>().Count(difference => difference < 1e-4f);
        var mirrored = (varied - images.flip(3)).abs().amax([1, 2, 3]).data<float>().Count(difference => difference < 1e-4f);
        same.ShouldBeInRange(16, 48);
        mirrored.ShouldBe(64 - same);
    }

    [Fact]
    public void A_step_draws_the_same_again_and_another_step_something_else()
    {
        var images = Pictures(8);
        var sut = new ImageAugmenter(new ImageAugmentation(), seed: 1);
        var first = sut.Vary(images, new bool[8], step: 3);

        sut.Vary(images, new bool[8], step: 3).equal(first).all().item<bool>().ShouldBeTrue();
        sut.Vary(images, new bool[8], step: 4).equal(first).all().item<bool>().ShouldBeFalse();
    }

    [Fact]
    public void Patches_are_dropped_but_in_the_last_tenth_of_the_steps()
    {
        var sut = new ImageAugmenter(new ImageAugmentation { PatchDropout = 0.75 }, seed: 1);
        var kept = sut.Kept(batch: 4, patches: 16, step: 89, steps: 100)!;

        kept.shape.ShouldBe([4, 4]);
        foreach (var row in kept.unbind(0))
        {
            row.data<long>().Distinct().Count(place => place is >= 0 and < 16).ShouldBe(4);
        }

        sut.Kept(batch: 4, patches: 16, step: 90, steps: 100).ShouldBeNull();
    }

    [Fact]
    public void The_order_of_patches_does_not_matter_and_a_lost_one_does()
    {
        using var model = ClipModel.Initialize(new ClipArchitecture(32, 16, 2, 64, 4, 8, 600, 64, 1), seed: 1);
        using var _ = no_grad();
        var images = Pictures(3);
        var all = model.EncodeImage(images);
        var order = TensorArithmetic.Range(16).flip(0).unsqueeze(0).expand(3, 16).contiguous();

        (model.EncodeImage(images, patches: order) - all).abs().max().item<float>().ShouldBeLessThan(1e-5f);
        (model.EncodeImage(images, patches: order.narrow(1, 0, 8)) - all).abs().max().item<float>().ShouldBeGreaterThan(1e-3f);
    }

    private static Tensor Pictures(int count)
    {
        using var generator = new Generator(7, CPU);
        return randn([count, 3, 16, 16], generator: generator);
    }
}
