using System.Text.Json.Nodes;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;
using ClipSae.Pipeline.Stages;
using TorchSharp;

namespace ClipSae.EmbeddingExtraction.Tests;

/// <summary>Activations of captions, of a CLIP and of a SigLIP.</summary>
public sealed class CaptionExtractionTests
{
    private static readonly string[] Hooks = ["text.mlp@1", "text.residual@0", "text-embedding"];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Activations_are_those_of_the_text_tower_up_to_the_end_of_each_caption(bool isSigLip)
    {
        using var setup = Setup(isSigLip);
        var result = await setup.Run(Parameters("all"), Pictures(5));

        using var model = ExtractionSetup.CreateModel(setup.Sizes);
        foreach (var name in Hooks)
        {
            var point = HookPoint.Parse(name);
            var (rows, image, caption) = (
                await setup.Read(result, name, "activations"),
                await setup.Read(result, name, "image_index"),
                await setup.Read(result, name, "caption_index")
            );
            var token = point.HasTokens ? await setup.Read(result, name, "token_index") : torch.zeros_like(image);
            var places = image.data<int>().Zip(caption.data<int>(), token.data<int>()).ToArray();
            places.ShouldBe(places.Order());
            for (var i = 0; i < 5; i++)
            {
                foreach (var (number, text) in Captions(i).Index())
                {
                    var ids = Tokenizer(setup).Encode(text, setup.Sizes.ContextLength, out _);
                    var hooks = new Hooks().Capture(point);
                    // One caption at a time: what stands beside it in a batch must not matter.
                    model.EncodeText(torch.tensor(ids).unsqueeze(0), hooks);
                    var own = places.Index().Where(place => (place.Item.First, place.Item.Second) == (i, number)).ToArray();
                    own.Select(place => place.Item.Third)
                        .ShouldBe(Enumerable.Range(0, point.HasTokens ? Tokenizer(setup).LengthOf(ids) : 1));
                    var expected = hooks.Captured(point).reshape(-1, point.Width(setup.Sizes)).narrow(0, 0, own.Length);
                    var actual = rows.index_select(0, torch.tensor(own.Select(place => (long)place.Index).ToArray()));
                    (actual - expected)
                        .abs()
                        .max()
                        .item<float>()
                        .ShouldBeLessThan(2e-5f * expected.abs().max().item<float>(), $"{name} of '{text}'");
                }
            }
        }
    }

    [Fact]
    public async Task Sampled_tokens_are_rows_of_all_of_them_and_never_padding()
    {
        using var setup = Setup(isSigLip: true);
        var pictures = Pictures(4);
        var (all, some, other) = (
            await setup.Run(Parameters("all"), pictures),
            await setup.Run(Parameters(3), pictures),
            await setup.Run(Parameters(3, batch: 2), pictures)
        );
        async Task<Dictionary<(int, int, int), float[]>> Rows(StageResult result)
        {
            var (rows, image, caption, token) = (
                await setup.Read(result, "text.residual@0", "activations"),
                await setup.Read(result, "text.residual@0", "image_index"),
                await setup.Read(result, "text.residual@0", "caption_index"),
                await setup.Read(result, "text.residual@0", "token_index")
            );
            return image
                .data<int>()
                .Zip(caption.data<int>(), token.data<int>())
                .Index()
                .ToDictionary(place => place.Item, place => rows[place.Index].data<float>().ToArray());
        }

        var (whole, sampled) = (await Rows(all), await Rows(some));
        sampled.Keys.CountBy(place => (place.Item1, place.Item2)).ShouldAllBe(group => group.Value == 3);
        foreach (var (place, row) in sampled)
        {
            whole.ShouldContainKey(place); // which has no padding
            row.ShouldBe(whole[place]);
        }

        (await Rows(other)).Keys.ShouldBe(sampled.Keys);
    }

    [Fact]
    public async Task Same_input_gives_the_same_digests_and_images_do_not_know_of_captions()
    {
        using var setup = Setup(isSigLip: false);
        var (first, second) = (
            await setup.Run(Parameters(3, more: "mlp@0"), Pictures(5)),
            await setup.Run(Parameters(3, more: "mlp@0"), Pictures(5))
        );
        second.Outputs.ShouldBe(first.Outputs);
        var without = await setup.Run(new JsonObject { ["hookPoints"] = new JsonArray("mlp@0"), ["tokensPerImage"] = 3 }, Pictures(5));
        without.Outputs["mlp@0"].Digest.ShouldBe(first.Outputs["mlp@0"].Digest);
        without.Outputs["ids"].Digest.ShouldBe(first.Outputs["ids"].Digest);
    }

    [Fact]
    public async Task A_layer_that_the_text_tower_lacks_is_refused()
    {
        using var setup = Setup(isSigLip: false);
        var parameters = new JsonObject { ["hookPoints"] = new JsonArray("text.mlp@2") };
        (await Should.ThrowAsync<UserErrorException>(setup.Run(parameters, Pictures(1)))).Message.ShouldContain(
            "text tower has layers 0 to 1"
        );
    }

    private static ExtractionSetup Setup(bool isSigLip) =>
        new()
        {
            Sizes = (
                isSigLip
                    ? ExtractionSetup.Architecture with
                    {
                        Family = ClipFamily.SigLip,
                        EmbedDim = 128,
                        VisionNeurons = 512,
                    }
                    : ExtractionSetup.Architecture
            ) with
            {
                TextLayers = 2,
            },
            Vocabulary = isSigLip
                ? File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Reference", "siglip.model"))
                : ExtractionSetup.Merges,
            Captions = Captions,
        };

    private static string[] Captions(int image) => image % 2 == 0 ? [$"a cat {image}"] : [$"a dog {image}", "it is a long one"];

    private static ClipTokenizer Tokenizer(ExtractionSetup setup)
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, setup.Vocabulary);
            return ClipTokenizer.Load(path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static byte[][] Pictures(int count) => [.. Enumerable.Range(0, count).Select(ExtractionSetup.Picture)];

    private static JsonObject Parameters(JsonNode tokens, int batch = 4, string? more = null) =>
        new()
        {
            ["hookPoints"] = new JsonArray([.. Hooks.Append(more).OfType<string>().Select(hook => JsonValue.Create(hook))]),
            ["batchSize"] = batch,
            ["tokensPerImage"] = tokens,
        };
}
