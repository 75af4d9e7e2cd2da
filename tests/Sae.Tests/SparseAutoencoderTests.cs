using ClipSae.Sae.Encoding;
using ClipSae.Sae.Formats;
using ClipSae.TestKit.Files;
using static TorchSharp.torch;

namespace ClipSae.Sae.Tests;

public sealed class SparseAutoencoderTests : IDisposable
{
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();
    private readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void At_most_k_latents_are_active_and_none_is_negative()
    {
        var sae = CreateSut();
        var latents = sae.Encode(Inputs());

        ((latents > 0).sum(1).max().item<long>()).ShouldBeLessThanOrEqualTo(5);
        latents.min().item<float>().ShouldBeGreaterThanOrEqualTo(0);
    }

    [Fact]
    public void Leading_dimensions_are_kept()
    {
        var sae = CreateSut();
        var x = Inputs().view(5, 8, 24);

        sae.Reconstruct(x).shape.ShouldBe([5, 8, 24]);
        sae.Features(x, [3, 1]).shape.ShouldBe([5, 8, 2]);
        Difference(sae.Ablate(x, [3, 1]).view(40, 24), sae.Ablate(Inputs(), [3, 1])).ShouldBeLessThan(1e-6);
    }

    // 600 tokens of 16,384 latents are 38 MiB: each image is worked on by itself.
    [Fact]
    public void Many_latents_are_worked_on_a_few_images_at_a_time_with_the_same_result()
    {
        using var generator = new Generator(3, CPU);
        var rows = nn.functional.normalize(randn(16384, 8, generator: generator), 2, 1);
        using var sae = new SparseAutoencoder(new SaeVariant.TopK(4), rows, rows.clone(), zeros(16384), zeros(8), 1);
        var x = randn(new long[] { 3, 600, 8 }, generator: generator);
        var latents = sae.Encode(x);
        var features = latents.sum([0, 1]).topk(5).indexes.data<long>().Select(f => (int)f).ToArray();

        Difference(sae.Reconstruct(x), sae.Decode(latents)).ShouldBeLessThan(1e-5);
        Difference(sae.MeanLatents(x), latents.mean([1])).ShouldBeLessThan(1e-6);
        var off = latents.clone();
        off.index_fill_(2, tensor(features.Select(f => (long)f).ToArray()), 0);
        Difference(sae.Ablate(x, features), x - sae.Decode(latents) + sae.Decode(off)).ShouldBeLessThan(1e-5);
    }

    [Fact]
    public void Features_are_columns_of_the_rectified_pre_activations()
    {
        var sae = CreateSut();
        var x = Inputs();

        var expected = sae.PreActivations(x).relu().index_select(1, tensor(new long[] { 7, 0, 31 }));
        Difference(sae.Features(x, [7, 0, 31]), expected).ShouldBeLessThan(1e-5);
    }

    [Fact]
    public void Features_carry_a_gradient_to_the_input()
    {
        var sae = CreateSut();
        var x = Inputs().requires_grad_();

        sae.Features(x, [7, 0, 31]).sum().backward();

        x.grad.ShouldNotBeNull().abs().sum().item<float>().ShouldBeGreaterThan(0);
    }

    [Fact]
    public void Ablating_all_latents_leaves_bias_and_error_alone()
    {
        var sae = CreateSut();
        var x = Inputs();

        var expected = x - sae.Reconstruct(x) + sae.DecoderBias;
        Difference(sae.Ablate(x, Enumerable.Range(0, 32).ToArray()), expected).ShouldBeLessThan(1e-5);
    }

    [Fact]
    public void Ablating_nothing_changes_nothing() => Difference(CreateSut().Ablate(Inputs(), []), Inputs()).ShouldBe(0);

    [Theory]
    [InlineData("topk")]
    [InlineData("topk-tied")]
    [InlineData("batch-topk")]
    [InlineData("matryoshka")]
    public void A_saved_autoencoder_loads_equal(string variant)
    {
        var sae = CreateSut(variant);
        var (first, second) = (_folder.File("a.safetensors"), _folder.File("b.safetensors"));

        SaeFile.Save(sae, first);
        var loaded = SaeFile.Load(first);
        SaeFile.Save(loaded, second);

        loaded.Variant.Name.ShouldBe(variant);
        loaded.InputScale.ShouldBe(0.37);
        Difference(loaded.Reconstruct(Inputs()), sae.Reconstruct(Inputs())).ShouldBe(0);
        File.ReadAllBytes(second).ShouldBe(File.ReadAllBytes(first));
    }

    [Fact]
    public void A_feature_that_is_not_there_is_named() =>
        Should.Throw<UserErrorException>(() => CreateSut().Features(Inputs(), [32])).Message.ShouldContain("feature 32");

    [Fact]
    public void Activations_of_another_width_are_refused() =>
        Should.Throw<UserErrorException>(() => CreateSut().Encode(zeros(2, 25))).Message.ShouldContain("24");

    private static SparseAutoencoder CreateSut(string variant = "topk")
    {
        using var generator = new Generator(3, CPU);
        var encoder = randn(32, 24, generator: generator);
        encoder.div_(encoder.norm(1, true, 2));
        var parsed = SaeVariant.Parse(variant, 5).ShouldNotBeNull();
        var threshold = variant == "batch-topk" ? full(32, 0.8f) : null;
        return new SparseAutoencoder(
            parsed,
            encoder,
            encoder.roll(1, 1).clone(),
            randn(32, generator: generator) * 0.1,
            randn(24, generator: generator),
            0.37,
            threshold
        );
    }

    private static Tensor Inputs()
    {
        using var generator = new Generator(4, CPU);
        return randn(40, 24, generator: generator);
    }

    private static double Difference(Tensor a, Tensor b) => (a - b).abs().max().item<float>();
}
