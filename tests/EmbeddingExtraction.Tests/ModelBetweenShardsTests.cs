using ClipSae.Clip.Model;
using ClipSae.Tensors;
using Microsoft.Extensions.Time.Testing;
using TorchSharp;

namespace ClipSae.EmbeddingExtraction.Tests;

public sealed class ModelBetweenShardsTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly string _weights = Path.GetTempFileName();
    private readonly Dictionary<LoadedModel, torch.Tensor> _weightOf = [];
    private readonly ModelBetweenShards _sut;

    public ModelBetweenShardsTests()
    {
        _sut = new ModelBetweenShards(_time);
        using var model = ClipModel.Initialize(ExtractionSetup.Architecture, 1);
        model.Save(_weights);
    }

    public void Dispose()
    {
        _sut.Dispose();
        File.Delete(_weights);
    }

    [Fact]
    public void A_kept_model_is_given_out_once()
    {
        var model = Load();
        _sut.Keep("cpu", "a", model);

        _sut.Take("cpu", "a").ShouldBe(model);
        _sut.Take("cpu", "a").ShouldBeNull();
        IsFreed(model).ShouldBeFalse();
        model.Dispose();
    }

    [Fact]
    public void A_model_that_nobody_asks_for_is_freed()
    {
        var model = Load();
        _sut.Keep("cpu", "a", model);
        _time.Advance(ModelBetweenShards.MaxDuration);

        _sut.Take("cpu", "a").ShouldBeNull();
        IsFreed(model).ShouldBeTrue();
    }

    [Fact]
    public void Another_model_takes_its_place()
    {
        var model = Load();
        _sut.Keep("cpu", "a", model);

        _sut.Take("cpu", "b").ShouldBeNull();
        IsFreed(model).ShouldBeTrue();
    }

    [Fact]
    public void Of_two_shards_at_once_the_later_one_leaves_its_model()
    {
        var (first, second) = (Load(), Load());
        _sut.Keep("cpu", "a", first);
        _sut.Keep("cpu", "a", second);

        IsFreed(first).ShouldBeTrue();
        _sut.Take("cpu", "a").ShouldBe(second);
        second.Dispose();
    }

    [Fact]
    public void Each_device_keeps_its_own()
    {
        var (first, second) = (Load(), Load());
        _sut.Keep("cuda:0", "a", first);
        _sut.Keep("cuda:1", "b", second);

        _sut.Take("cuda:1", "b").ShouldBe(second);
        _sut.Take("cuda:0", "a").ShouldBe(first);
        first.Dispose();
        second.Dispose();
    }

    [Fact]
    public void Nothing_is_kept_after_the_end()
    {
        var (before, after) = (Load(), Load());
        _sut.Keep("cpu", "a", before);
        _sut.Dispose();
        _sut.Keep("cpu", "a", after);

        IsFreed(before).ShouldBeTrue();
        IsFreed(after).ShouldBeTrue();
    }

    private LoadedModel Load()
    {
        var model = LoadedModel.Load(_weights, "cpu", Precision.Float32);
        _weightOf[model] = model.Model.named_parameters().First().parameter;
        return model;
    }

    private bool IsFreed(LoadedModel model) => _weightOf[model].IsInvalid;
}
