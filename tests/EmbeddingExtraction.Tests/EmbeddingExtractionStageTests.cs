using System.Text.Json.Nodes;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.TestKit.Pipelines;
using TorchSharp;

namespace ClipSae.EmbeddingExtraction.Tests;

public sealed class EmbeddingExtractionStageTests : IDisposable
{
    private readonly ExtractionSetup _setup = new();

    public void Dispose() => _setup.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Activations_are_those_of_the_model(bool isOther)
    {
        var sizes = isOther ? ExtractionSetup.Other : ExtractionSetup.Architecture;
        using var setup = new ExtractionSetup { Sizes = sizes };
        var pictures = Pictures(5);
        string[] names = ["image-embedding", "cls@1", "residual@0", "mlp@1"];
        var result = await setup.Run(Parameters(names, batch: 2, tokens: "all"), pictures);

        using var model = ExtractionSetup.CreateModel(sizes);
        var hooks = new Hooks();
        names.ToList().ForEach(name => hooks.Capture(HookPoint.Parse(name)));
        model.EncodeImage(ExtractionSetup.Preprocessed(pictures), hooks);
        foreach (var name in names)
        {
            var point = HookPoint.Parse(name);
            var expected = hooks.Captured(point).reshape(-1, point.Width(sizes));
            var actual = await setup.Read(result, name, "activations");
            actual.shape.ShouldBe(expected.shape, name);
            // Batches of other sizes and folded weights round differently.
            (actual - expected).abs().max().item<float>().ShouldBeLessThan(2e-5f * expected.abs().max().item<float>(), name);
        }
    }

    [Fact]
    public async Task The_model_that_an_earlier_shard_left_gives_the_same_bits_and_no_other_model_is_taken_for_it()
    {
        var first = await _setup.Run(Parameters(["image-embedding"]), Pictures(3));
        var again = await _setup.Run(Parameters(["image-embedding"]), Pictures(3));
        _setup.ModelSeed = 6;
        var other = await _setup.Run(Parameters(["image-embedding"]), Pictures(3));
        _setup.ModelSeed = 5;
        var back = await _setup.Run(Parameters(["image-embedding"]), Pictures(3));

        again.Outputs["image-embedding"].Digest.ShouldBe(first.Outputs["image-embedding"].Digest);
        other.Outputs["image-embedding"].Digest.ShouldNotBe(first.Outputs["image-embedding"].Digest);
        back.Outputs["image-embedding"].Digest.ShouldBe(first.Outputs["image-embedding"].Digest);
    }

    [Fact]
    public async Task Rows_say_which_image_and_token_they_are()
    {
        var result = await _setup.Run(Parameters(["mlp@0", "cls@0"], batch: 2, tokens: "all"), Pictures(3));
        (await _setup.Read(result, "mlp@0", "image_index")).data<int>().ToArray().ShouldBe(Enumerable.Range(0, 3 * 17).Select(i => i / 17));
        (await _setup.Read(result, "mlp@0", "token_index")).data<int>().ToArray().ShouldBe(Enumerable.Range(0, 3 * 17).Select(i => i % 17));
        (await _setup.Read(result, "cls@0", "image_index")).data<int>().ToArray().ShouldBe([0, 1, 2]);
    }

    [Fact]
    public async Task Sampled_tokens_are_the_rows_of_all_tokens_at_their_index()
    {
        var pictures = Pictures(4);
        var all = await _setup.Run(Parameters(["residual@0"], tokens: "all"), pictures);
        var some = await _setup.Run(Parameters(["residual@0"], tokens: 5), pictures);
        var (image, token) = (await _setup.Read(some, "residual@0", "image_index"), await _setup.Read(some, "residual@0", "token_index"));
        var expected = (await _setup.Read(all, "residual@0", "activations")).index_select(0, (image.to(torch.int64) * 17) + token);
        (await _setup.Read(some, "residual@0", "activations")).Equals(expected).ShouldBeTrue();
        image.data<int>().ToArray().CountBy(i => i).ShouldAllBe(group => group.Value == 5);
        // Four images of five draws from seventeen: some image draws other tokens than the first.
        token.view(4, 5).ne(token.view(4, 5)[0]).any().item<bool>().ShouldBeTrue();
    }

    [Fact]
    public Task Cancelled_it_stops_within_a_batch() =>
        CancelAtFirstReport.ShouldStopAsync(cancelling =>
            _setup.Run(Parameters(["mlp@0"], batch: 2, tokens: 5), Pictures(7), cancelling, cancelling.Token)
        );

    [Fact]
    public async Task Same_input_gives_the_same_digests()
    {
        var parameters = Parameters(["mlp@0", "image-embedding"], batch: 2, tokens: 5);
        var (first, second) = (await _setup.Run(parameters, Pictures(5)), await _setup.Run(parameters, Pictures(5)));
        second.Outputs.ShouldBe(first.Outputs);
        second.Metrics.ToJsonString().ShouldBe(first.Metrics.ToJsonString());
    }

    [Fact]
    public async Task Unreadable_images_are_named_and_do_not_stop_the_others()
    {
        var pictures = Pictures(20);
        pictures[7] = [1, 2, 3];
        var result = await _setup.Run(Parameters(["image-embedding"]), pictures);
        var images = await _setup.Images(result);
        images.Images.Count.ShouldBe(19);
        images.Images[7].ShouldBe("images/8.png");
        images.Unreadable[0].Id.ShouldBe("images/7.png");
        (await _setup.Read(result, "image-embedding", "activations")).shape.ShouldBe([19, 64]);
        result.Metrics["unreadable"]!.GetValue<int>().ShouldBe(1);
    }

    [Fact]
    public async Task Too_many_unreadable_images_fail_with_a_name()
    {
        var pictures = Pictures(4);
        pictures[1] = [];
        var failure = await Should.ThrowAsync<UserErrorException>(_setup.Run(Parameters(["image-embedding"]), pictures));
        failure.Message.ShouldContain("1 of 4 images");
        failure.Message.ShouldContain("images/1.png");
    }

    [Fact]
    public async Task Empty_shard_is_a_clear_line() =>
        (await Should.ThrowAsync<UserErrorException>(_setup.Run([]))).Message.ShouldContain("contains no images");

    [Theory]
    [InlineData("bfloat16", torch.ScalarType.BFloat16)]
    [InlineData("float16", torch.ScalarType.Float16)]
    public async Task Stored_precision_is_as_asked(string store, torch.ScalarType type)
    {
        var parameters = Parameters(["image-embedding"]);
        parameters["dtype"] = store;
        (await _setup.Read(await _setup.Run(parameters, Pictures(2)), "image-embedding", "activations")).dtype.ShouldBe(type);
    }

    [Fact]
    public async Task Bfloat16_reports_its_cosine_to_float32()
    {
        var parameters = Parameters(["image-embedding"]);
        parameters["compute"] = "bfloat16";
        var metrics = (await _setup.Run(parameters, Pictures(3))).Metrics;
        metrics["cosineToFloat32"]!.GetValue<double>().ShouldBeInRange(0.999, 1.0001);
    }

    [Theory]
    [InlineData("{\"hookPoints\":[]}", "extraction.hookPoints")]
    [InlineData("{\"hookPoints\":[\"attention@1\"]}", "attention@1")]
    [InlineData("{\"hookPoints\":[\"mlp@0\",\"mlp@0\"]}", "twice")]
    [InlineData("{\"batchSize\":-1}", "extraction.batchSize")]
    [InlineData("{\"tokensPerImage\":\"some\"}", "tokensPerImage")]
    [InlineData("{\"tokensPerImage\":0}", "tokensPerImage")]
    [InlineData("{\"maxUnreadableShare\":2}", "extraction.maxUnreadableShare")]
    [InlineData("{\"batchSzie\":2}", "batchSize")]
    public void Impossible_parameters_are_refused_by_name(string parameters, string named) =>
        Should.Throw<UserErrorException>(() => _setup.Stage.Normalize(JsonNode.Parse(parameters)!.AsObject())).Message.ShouldContain(named);

    [Fact]
    public void Defaults_are_explicit_after_normalizing()
    {
        var normal = _setup.Stage.Normalize([]);
        normal["tokensPerImage"]!.GetValue<int>().ShouldBe(32);
        normal["hookPoints"]!.AsArray().Count.ShouldBe(2);
        _setup.Stage.Normalize(normal).ToJsonString().ShouldBe(normal.ToJsonString());
    }

    [Fact]
    public async Task A_layer_the_model_lacks_is_refused() =>
        (await Should.ThrowAsync<UserErrorException>(_setup.Run(Parameters(["mlp@2"]), Pictures(1)))).Message.ShouldContain(
            "layers 0 to 1"
        );

    private static byte[][] Pictures(int count) => [.. Enumerable.Range(0, count).Select(ExtractionSetup.Picture)];

    private static JsonObject Parameters(string[] hookPoints, int batch = 4, JsonNode? tokens = null)
    {
        var parameters = new JsonObject
        {
            ["hookPoints"] = new JsonArray([.. hookPoints.Select(h => JsonValue.Create(h))]),
            ["batchSize"] = batch,
        };
        if (tokens is not null)
        {
            parameters["tokensPerImage"] = tokens;
        }

        return parameters;
    }
}
