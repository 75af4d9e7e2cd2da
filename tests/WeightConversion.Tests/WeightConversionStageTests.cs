using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Clip;
using ClipSae.Contracts;
using ClipSae.Pipeline;

namespace ClipSae.WeightConversion.Tests;

public sealed class WeightConversionStageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly WeightConversionStage _stage = new();

    [Theory]
    [InlineData("float32", 1e-6)]
    [InlineData("float16", 1e-2)]
    public async Task The_written_file_is_proved_equal_by_a_forward_pass(string dtype, double largest)
    {
        var result = await RunAsync(new JsonObject { ["dtype"] = dtype });

        var proof = JsonNode.Parse(await File.ReadAllBytesAsync(await Store.FetchAsync(result.Outputs["proof"])))!;
        proof["image"]!["maxRelative"]!.GetValue<double>().ShouldBeLessThan(largest);
        proof["text"]!["maxRelative"]!.GetValue<double>().ShouldBeLessThan(largest);
        proof["image"]!["minCosine"]!.GetValue<double>().ShouldBeGreaterThan(0.9999);
        proof["geometricLayers"]!.GetValue<int>().ShouldBe(10); // 3 vision and 2 text blocks, two layers each
        proof["written"]!.GetValue<string>().ShouldBe(result.Outputs["model"].Digest);
    }

    [Fact]
    public async Task The_same_source_gives_the_same_artifacts()
    {
        var first = await RunAsync([]);
        var second = await RunAsync([]);

        second.Outputs.ShouldBe(first.Outputs, ignoreOrder: true);
    }

    [Fact]
    public async Task A_difference_above_the_tolerance_fails_and_names_the_worst_tensor()
    {
        var error = await Should.ThrowAsync<UserErrorException>(() => RunAsync(new JsonObject { ["dtype"] = "float16", ["tolerance"] = 1e-7 }));

        error.Message.ShouldContain("image feature");
        error.Message.ShouldContain("the worst tensor is '");
    }

    [Fact]
    public void A_weight_that_was_changed_behind_the_converter_is_found_by_the_proof()
    {
        const string key = "visual.transformer.resblocks.2.mlp.c_proj.weight";
        WeightConverter.Convert(ReferenceFiles.Geometric, "source", _folder.File("plain"), new ConversionTarget.OpenAi(ConversionDtype.Float32));
        ReferenceFiles.Rewrite(_folder.File("plain"), _folder.File("changed"), tensors => tensors[key] = tensors[key] * 1.5f);
        using var source = ClipModel.Load(ReferenceFiles.Geometric);
        using var written = ClipModel.Load(_folder.File("changed"));

        var proof = ForwardProof.Run(source, written, new ConversionOptions());

        proof.Holds.ShouldBeFalse();
        Should.Throw<UserErrorException>(() => proof.Require("tuned")).Message.ShouldContain(key);
    }

    [Fact]
    public void Defaults_become_explicit_so_that_the_stage_key_sees_them() =>
        _stage.Normalize([]).ToJsonString().ShouldBe("""{"dtype":"float32","tolerance":1E-05,"probeImages":4,"probeTexts":8,"seed":0}""");

    [Fact]
    public void An_impossible_value_is_refused_by_name() =>
        Should.Throw<UserErrorException>(() => _stage.Normalize(new JsonObject { ["probeImages"] = 0 })).Message.ShouldContain("probeImages");

    public void Dispose() => _folder.Dispose();

    private FolderArtifactStore Store => new(_folder.File("store"));

    private async Task<StageResult> RunAsync(JsonObject parameters)
    {
        var model = await Store.PutFileAsync(ReferenceFiles.Geometric, "tuned.safetensors", "application/x-safetensors");
        Directory.CreateDirectory(_folder.File("scratch"));
        return await _stage.RunAsync(
            new StageContext
            {
                Stage = _stage.Name,
                Unit = "penalise.s0",
                Parameters = _stage.Normalize(parameters),
                Inputs = new Dictionary<string, ArtifactRef> { ["model"] = model },
                Artifacts = Store,
                Scratch = _folder.File("scratch"),
            },
            CancellationToken.None);
    }
}
