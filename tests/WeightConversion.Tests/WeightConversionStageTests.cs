using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Model;
using ClipSae.Pipeline.Stages;
using ClipSae.Results;
using ClipSae.Results.Tuning;
using ClipSae.Tensors;
using ClipSae.TestKit.Files;
using ClipSae.TestKit.Pipelines;
using ClipSae.WeightConversion.Targets;
using ClipSae.WeightConversion.Weights;
using TorchSharp;

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

        var proof = await ResultFormats.Proof.ReadAsync(result.Outputs["proof"], Store.FetchAsync, CancellationToken.None);
        proof.Image.MaxRelative.ShouldBeLessThan(largest);
        proof.Text.MaxRelative.ShouldBeLessThan(largest);
        proof.Image.MinCosine.ShouldBeGreaterThan(0.9999);
        proof.GeometricLayers.ShouldBe(10); // 3 vision and 2 text blocks, two layers each
        proof.Written.ShouldBe(result.Outputs["model"].Digest);
    }

    [Fact]
    public Task Cancelled_it_stops_within_a_tensor() =>
        CancelAtFirstReport.ShouldStopAsync(cancelling => RunAsync([], cancelling: cancelling));

    [Fact]
    public async Task The_same_source_gives_the_same_artifacts()
    {
        var first = await RunAsync([]);
        var second = await RunAsync([]);

        second.Outputs.ShouldBe(first.Outputs, ignoreOrder: true);
    }

    [Fact]
    public async Task Provenance_names_digests_parameters_and_what_the_tuning_wrote_into_its_weights()
    {
        var tuned = _folder.File("tuned.safetensors");
        using (torch.NewDisposeScope())
        {
            using var model = ClipModel.Load(ReferenceFiles.GeometricModel);
            model.Save(
                tuned,
                new Dictionary<string, string> { ["clipsae_base"] = "sha256:base", ["clipsae_parameters"] = """{"arm":"penalise"}""" }
            );
        }

        var result = await RunAsync(new JsonObject { ["formats"] = new JsonArray("openai-pt") }, tuned);

        var provenance = JsonNode.Parse(
            await File.ReadAllBytesAsync(
                await Store.FetchAsync(result.Outputs["files/provenance.json"]),
                TestContext.Current.CancellationToken
            )
        )!;
        provenance["source"]!["files"]!.AsObject().Single().Value!.GetValue<string>().ShouldBe(Digest.OfFile(tuned));
        provenance["source"]!["metadata"]!["clipsae_base"]!.GetValue<string>().ShouldBe("sha256:base");
        provenance["source"]!["metadata"]!["clipsae_parameters"]!.GetValue<string>().ShouldContain("penalise");
        provenance["files"]!["openai.safetensors"]!.GetValue<string>().ShouldBe(result.Outputs["model"].Digest);
        provenance["parameters"]!["dtype"]!.GetValue<string>().ShouldBe("float32");
        // The weights that go on carry it too.
        using var written = ClipCheckpoint.Open(await Store.FetchAsync(result.Outputs["model"]));
        written.Metadata["clipsae_base"].ShouldBe("sha256:base");
    }

    [Theory]
    [InlineData("adapted", true)]
    [InlineData("untouched", false)]
    [InlineData("changed elsewhere too", false)]
    public async Task What_an_adapter_was_trained_to_lies_beside_the_weights_that_it_is_merged_into(string kind, bool isWritten)
    {
        var (tuned, plain) = (_folder.File("tuned.safetensors"), _folder.File("base.safetensors"));
        using (torch.NewDisposeScope())
        {
            using var model = ClipModel.Load(ReferenceFiles.Model);
            model.Save(plain);
            model.Attach(new LowRankAdapter(2, 4, ["c_fc"]), seed: 1);
            using var noGrad = torch.no_grad();
            foreach (
                var (key, weight) in model
                    .StateDict()
                    .Where(weight =>
                        (kind != "untouched" && weight.Key.StartsWith("lora_b.", StringComparison.Ordinal))
                        || (kind == "changed elsewhere too" && weight.Key == "logit_scale")
                    )
            )
            {
                weight.fill_(key == "logit_scale" ? 1.0 : 0.01);
            }

            model.Save(
                tuned,
                new Dictionary<string, string>
                {
                    ["clipsae_parameters"] =
                        """{"adapter":{"alpha":4,"kind":"lora","rank":2,"learningRate":0.0001,"targets":["c_fc"]},"arm":"penalise"}""",
                }
            );
        }

        var result = await RunAsync([], tuned, basis: plain);

        result
            .Outputs.Keys.Where(name => name.StartsWith("files/peft/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .ShouldBe(isWritten ? ["files/peft/adapter_config.json", "files/peft/adapter_model.safetensors"] : []);
        var proof = await ResultFormats.Proof.ReadAsync(result.Outputs["proof"], Store.FetchAsync, CancellationToken.None);
        proof.Formats.ContainsKey("peft").ShouldBe(isWritten);
    }

    [Fact]
    public async Task The_format_of_adapters_is_refused_where_none_is_trained() =>
        (
            await Should.ThrowAsync<UserErrorException>(() => RunAsync(new JsonObject { ["formats"] = new JsonArray("peft") }))
        ).Message.ShouldContain("this run trains none; set tuning.adapter");

    [Fact]
    public async Task A_null_token_goes_into_a_file_of_its_own_and_the_card_says_so_beside_what_was_measured()
    {
        var history = new TrainingHistory(
            [],
            [new TuningValidation(0, 0.98, 0.01, 0.01) { Reading = 1 }],
            [],
            [],
            [],
            1,
            null,
            new TuningValidation(10, 0.971, 0.5, 0.5)
        );
        var (tuned, curves) = (_folder.File("tuned.safetensors"), new TuningCurves(history, "null-token", 0));
        using (torch.NewDisposeScope())
        {
            using var model = ClipModel.Load(ReferenceFiles.GeometricModel);
            model.Attach(new NullToken(1, torch.ones(model.Architecture.VisionWidth)));
            model.Save(tuned);
        }

        var conversion = Conversion.Run(
            new ConversionSource(tuned, "tuned") { Measured = MeasuredAccuracy.Of(curves) },
            _folder.File("formats"),
            new ConversionOptions { Formats = ["openai", "gmp"] }
        );

        conversion.Files.Keys.ShouldBe(["gmp.safetensors", "null_token.safetensors", "openai.safetensors"], ignoreOrder: true);
        using var token = NullToken.Load(_folder.File("formats/null_token.safetensors"));
        (token.Block, token.Value.sum().item<float>()).ShouldBe((1, token.Value.shape[0]));
        using var plain = ClipCheckpoint.Open(_folder.File("formats/openai.safetensors"));
        plain.Keys.ShouldNotContain(key => key.Contains("null"));
        var card = await File.ReadAllTextAsync(_folder.File($"formats/{Conversion.CardName}"), TestContext.Current.CancellationToken);
        card.ShouldContain(
            "These weights are plain; the null token that the model was tuned with is in null_token.safetensors, "
                + "and without it they are the base: before vision block 1"
        );
        card.ShouldContain("| base | 98.0 % | 1.0 % | 100.0 % |");
        card.ShouldContain("| tuned | 97.1 % | 50.0 % | – |");
    }

    [Fact]
    public async Task A_difference_above_the_tolerance_fails_and_names_the_worst_tensor()
    {
        var error = await Should.ThrowAsync<UserErrorException>(() =>
            RunAsync(new JsonObject { ["dtype"] = "float16", ["tolerance"] = 1e-7 })
        );

        error.Message.ShouldContain("image feature");
        error.Message.ShouldContain("the worst tensor is '");
    }

    [Fact]
    public void A_weight_that_was_changed_behind_the_converter_is_found_by_the_proof()
    {
        const string key = "visual.transformer.resblocks.2.mlp.c_proj.weight";
        WeightConverter.Convert(
            new ConversionSource(ReferenceFiles.GeometricModel, "source"),
            _folder.Path,
            [new OpenAiTarget()],
            Precision.Float32
        );
        var written = _folder.File(OpenAiTarget.FileName);
        ChangedCheckpoint.Write(written, written, tensors => tensors[key] = tensors[key] * 1.5f);

        var proof = ForwardProofs.Run(
            new ConversionSource(ReferenceFiles.GeometricModel, "source"),
            _folder.Path,
            [new OpenAiTarget()],
            new ConversionOptions()
        )[OpenAiTarget.FileName];

        proof.Holds.ShouldBeFalse();
        Should.Throw<UserErrorException>(() => proof.Require("tuned", OpenAiTarget.FileName, Precision.Float32)).Message.ShouldContain(key);
    }

    [Fact]
    public async Task Other_formats_are_stored_beside_with_their_proofs_and_where_they_come_from()
    {
        var result = await RunAsync(new JsonObject { ["formats"] = new JsonArray("openai-pt", "text-encoder") });

        result.Outputs.Keys.ShouldBe(
            [
                "model",
                "proof",
                "files/openai.pt",
                "files/text_encoder.safetensors",
                "files/text_encoder_with_projection.safetensors",
                "files/README.md",
                "files/provenance.json",
            ],
            ignoreOrder: true
        );
        var proof = await ResultFormats.Proof.ReadAsync(result.Outputs["proof"], Store.FetchAsync, CancellationToken.None);
        proof.Formats.Keys.ShouldBe([
            "openai.pt",
            "openai.safetensors",
            "text_encoder.safetensors",
            "text_encoder_with_projection.safetensors",
        ]);
        var provenance = JsonNode.Parse(await File.ReadAllBytesAsync(await Store.FetchAsync(result.Outputs["files/provenance.json"])))!;
        provenance["files"]!["openai.pt"]!.GetValue<string>().ShouldBe(result.Outputs["files/openai.pt"].Digest);
        provenance["parameters"]!["dtype"]!.GetValue<string>().ShouldBe("float32");
    }

    // Keys of stored results follow from the spelling.
    [Theory]
    [InlineData("float32", "float32")]
    [InlineData("float16", "float16")]
    [InlineData("bfloat16", "bFloat16")]
    [InlineData("bFloat16", "bFloat16")]
    public void A_precision_is_stored_as_it_always_was(string given, string stored) =>
        _stage.Normalize(new JsonObject { ["dtype"] = given })["dtype"]!.GetValue<string>().ShouldBe(stored);

    [Fact]
    public void A_precision_that_no_format_holds_is_refused() =>
        Should
            .Throw<UserErrorException>(() => _stage.Normalize(new JsonObject { ["dtype"] = "int8" }))
            .Message.ShouldContain("expected float32, float16 or bfloat16");

    [Fact]
    public void Defaults_become_explicit_so_that_the_stage_key_sees_them() =>
        _stage
            .Normalize([])
            .ToJsonString()
            .ShouldBe("""{"formats":["openai"],"dtype":"float32","tolerance":1E-05,"probeImages":4,"probeTexts":8,"seed":0}""");

    [Fact]
    public void An_unknown_format_is_refused_with_the_known_ones() =>
        Should
            .Throw<UserErrorException>(() => _stage.Normalize(new JsonObject { ["formats"] = new JsonArray("gguf") }))
            .Message.ShouldContain("openai-pt");

    [Fact]
    public void An_impossible_value_is_refused_by_name() =>
        Should
            .Throw<UserErrorException>(() => _stage.Normalize(new JsonObject { ["probeImages"] = 0 }))
            .Message.ShouldContain("probeImages");

    public void Dispose() => _folder.Dispose();

    private FolderArtifactStore Store => new(_folder.File("store"));

    private async Task<StageResult> RunAsync(
        JsonObject parameters,
        string? source = null,
        CancelAtFirstReport? cancelling = null,
        string? basis = null
    )
    {
        var inputs = new Dictionary<string, ArtifactRef>();
        if (basis is not null)
        {
            inputs["base"] = await Store.PutFileAsync(basis, "base.safetensors", "application/x-safetensors");
        }

        inputs["model"] = await Store.PutFileAsync(
            source ?? ReferenceFiles.GeometricModel,
            "tuned.safetensors",
            "application/x-safetensors"
        );
        Directory.CreateDirectory(_folder.File("scratch"));
        return await _stage.RunAsync(
            new StageContext
            {
                Stage = _stage.Name,
                Unit = "penalise.s0",
                Parameters = _stage.Normalize(parameters),
                Inputs = inputs,
                Artifacts = Store,
                Progress = cancelling as IProgress<StageProgress> ?? new Progress<StageProgress>(),
                Scratch = _folder.File("scratch"),
            },
            cancelling?.Token ?? CancellationToken.None
        );
    }
}
