using System.Text.Json.Nodes;
using ClipSae.Pipeline.Stages;
using ClipSae.Sae;
using ClipSae.Sae.Formats;

namespace ClipSae.SaeTraining.Tests;

public sealed class SaeTrainingStageTests : IDisposable
{
    private readonly SaeTrainingSetup _setup = new();

    public void Dispose() => _setup.Dispose();

    [Fact]
    public async Task Outputs_are_an_autoencoder_its_statistics_and_the_layout_of_SAELens()
    {
        var result = await _setup.Stage.RunAsync(_setup.Context(await _setup.InputsAsync()), CancellationToken.None);

        result.Outputs.Keys.Order().ShouldBe(["cfg", "sae", "sae_weights", "statistics"]);
        using var sae = SaeFile.Load(await _setup.Store.FetchAsync(result.Outputs["sae"]));
        (sae.Latents, sae.InputWidth, sae.Variant).ShouldBe((64, SaeTrainingSetup.Width, new SaeVariant.TopK(4)));
        var cfg = await _setup.JsonAsync(result.Outputs["cfg"]);
        cfg["metadata"]!["hook_name"]!.GetValue<string>().ShouldBe("mlp@0");
    }

    [Fact]
    public async Task Figures_tell_quality_training_and_what_the_reconstruction_keeps()
    {
        var result = await _setup.Stage.RunAsync(_setup.Context(await _setup.InputsAsync()), CancellationToken.None);

        string[] keys =
        [
            "fvu",
            "explainedVariance",
            "cosine",
            "l0",
            "dead",
            "dense",
            "heldOutRows",
            "monosemanticity",
            "variant",
            "latents",
            "k",
            "steps",
            "trainingRows",
            "deadAfterSamples",
            "zeroShot",
            "zeroShotReconstructed",
        ];
        keys.Where(key => !result.Metrics.ContainsKey(key)).ShouldBeEmpty();
        // A tenth of 60 images of 5 tokens is held out.
        result.Metrics["heldOutRows"]!.GetValue<long>().ShouldBe(30);
        result.Metrics["trainingRows"]!.GetValue<long>().ShouldBe(270);
    }

    [Fact]
    public async Task Statistics_name_strongest_images_among_the_held_out_ones()
    {
        var result = await _setup.Stage.RunAsync(_setup.Context(await _setup.InputsAsync()), CancellationToken.None);
        var statistics = await _setup.JsonAsync(result.Outputs["statistics"]);

        var features = statistics["features"]!.AsArray();
        features.Count.ShouldBeGreaterThan(0);
        var images = features.SelectMany(f => f!["topImages"]!.AsArray()).Select(i => i!["id"]!.GetValue<string>()).Distinct().ToArray();
        images.Length.ShouldBeLessThanOrEqualTo(6);
        images.ShouldAllBe(id => id.StartsWith("images/", StringComparison.Ordinal));
        features.ShouldContain(f => f!["name"] != null);
        statistics["densityHistogram"]!.AsArray().Sum(n => n!.GetValue<int>()).ShouldBe(64);
    }

    [Fact]
    public async Task An_autoencoder_that_is_given_is_measured_and_handed_on_as_it_is()
    {
        var inputs = await _setup.InputsAsync();
        var trained = await _setup.Stage.RunAsync(_setup.Context(inputs), CancellationToken.None);
        inputs["given"] = trained.Outputs["sae"];

        var result = await _setup.Stage.RunAsync(_setup.Context(inputs), CancellationToken.None);

        result.Outputs["sae"].ShouldBe(trained.Outputs["sae"]);
        foreach (var metric in new[] { "explainedVariance", "cosine", "l0", "monosemanticity", "latents", "variant" })
        {
            result.Metrics[metric]!.ToJsonString().ShouldBe(trained.Metrics[metric]!.ToJsonString());
        }

        (result.Metrics["steps"]!.GetValue<int>(), result.Metrics["trainingRows"]!.GetValue<int>()).ShouldBe((0, 0));
        inputs["activations/00000"] = inputs["embeddings/00000"];
        inputs["activations/00001"] = inputs["embeddings/00001"];
        (
            await Should.ThrowAsync<UserErrorException>(() =>
                _setup.Stage.RunAsync(_setup.Context(inputs, unit: "image-embedding"), CancellationToken.None)
            )
        ).Message.ShouldContain("the autoencoder given for image-embedding takes activations");
    }

    [Fact]
    public async Task Features_of_the_final_embedding_are_named_by_texts()
    {
        var inputs = await _setup.InputsAsync();
        foreach (var shard in new[] { "00000", "00001" })
        {
            inputs[$"activations/{shard}"] = inputs[$"embeddings/{shard}"];
        }

        var result = await _setup.Stage.RunAsync(_setup.Context(inputs, unit: "image-embedding"), CancellationToken.None);
        var features = (await _setup.JsonAsync(result.Outputs["statistics"]))["features"]!.AsArray();

        // The captions' words: "a photo of a cat" and "a photo of a dog".
        features.Count.ShouldBeGreaterThan(0);
        features.ShouldAllBe(feature => new[] { "a", "photo", "of", "cat", "dog" }.Contains(feature!["name"]!.GetValue<string>()));
    }

    [Fact]
    public async Task Features_of_the_text_tower_are_shown_by_captions_and_put_back_into_the_prompts()
    {
        var inputs = await _setup.CaptionInputsAsync();
        var result = await _setup.Stage.RunAsync(_setup.Context(inputs, unit: "text.mlp@0"), CancellationToken.None);
        var features = (await _setup.JsonAsync(result.Outputs["statistics"]))["features"]!.AsArray();

        var tops = features.SelectMany(feature => feature!["topImages"]!.AsArray()).ToArray();
        tops.Length.ShouldBeGreaterThan(0);
        foreach (var top in tops)
        {
            var image = int.Parse(
                top!["id"]!.GetValue<string>()["images/".Length..^".png".Length],
                System.Globalization.CultureInfo.InvariantCulture
            );
            top["caption"]!.GetValue<string>().ShouldBe($"a photo of a {(image % 2 == 0 ? "cat" : "dog")}");
        }

        // The same rows and the same embeddings by image: what differs is what a row comes from, and where it is put back.
        var ofImages = await _setup.Stage.RunAsync(_setup.Context(await _setup.InputsAsync()), CancellationToken.None);
        foreach (var metric in new[] { "explainedVariance", "heldOutRows", "monosemanticity", "zeroShot" })
        {
            result.Metrics[metric]!.ToJsonString().ShouldBe(ofImages.Metrics[metric]!.ToJsonString());
        }

        result.Metrics["zeroShotReconstructed"].ShouldNotBeNull();
        (await _setup.JsonAsync(ofImages.Outputs["statistics"]))["features"]!.ToJsonString().ShouldNotContain("caption");
    }

    [Fact]
    public async Task A_prompt_that_the_context_would_cut_is_refused()
    {
        var parameters = SaeTrainingSetup.Parameters;
        parameters["promptTemplate"] = string.Join(' ', Enumerable.Repeat("photo", 100)) + " {}";

        var error = await Should.ThrowAsync<UserErrorException>(async () =>
            await _setup.Stage.RunAsync(_setup.Context(await _setup.InputsAsync(), parameters), CancellationToken.None)
        );

        error.Message.ShouldContain("longer than the model's");
    }

    [Fact]
    public async Task Same_input_gives_the_same_digests()
    {
        var inputs = await _setup.InputsAsync();
        var first = await _setup.Stage.RunAsync(_setup.Context(inputs), CancellationToken.None);
        var second = await _setup.Stage.RunAsync(_setup.Context(inputs), CancellationToken.None);

        second.Outputs.ShouldBe(first.Outputs);
        second.Metrics.ToJsonString().ShouldBe(first.Metrics.ToJsonString());
    }

    [Theory]
    [InlineData("topk")]
    [InlineData("topk-tied")]
    [InlineData("batch-topk")]
    [InlineData("matryoshka")]
    public async Task A_training_that_was_cut_ends_with_the_digests_of_an_undisturbed_one(string variant)
    {
        var inputs = await _setup.InputsAsync();
        var parameters = SaeTrainingSetup.Parameters;
        parameters["variant"] = variant;
        var undisturbed = await _setup.Stage.RunAsync(_setup.Context(inputs, parameters), CancellationToken.None);
        var checkpoints = new KeptCheckpoints(_setup.NewFolder());
        using var cut = new CancellationTokenSource();
        checkpoints.Saved = count =>
        {
            if (count == 2)
            {
                cut.Cancel();
            }
        };

        await Should.ThrowAsync<OperationCanceledException>(() =>
            _setup.Stage.RunAsync(_setup.Context(inputs, parameters, checkpoints), cut.Token)
        );
        var resumed = await _setup.Stage.RunAsync(_setup.Context(inputs, parameters, checkpoints), CancellationToken.None);

        checkpoints.Steps.ShouldBe([10, 20]);
        resumed.Outputs.ShouldBe(undisturbed.Outputs);
    }

    [Fact]
    public async Task A_training_that_is_told_to_stop_saves_the_step_it_has_reached()
    {
        var inputs = await _setup.InputsAsync();
        var parameters = SaeTrainingSetup.Parameters;
        parameters["checkpointInterval"] = 100_000;
        var undisturbed = await _setup.Stage.RunAsync(_setup.Context(inputs, parameters), CancellationToken.None);
        var checkpoints = new KeptCheckpoints(_setup.NewFolder());
        using var cut = new CancellationTokenSource();
        long reached = 0;
        var progress = new FirstReport(report =>
        {
            reached = report.Done;
            cut.Cancel();
        });

        await Should.ThrowAsync<OperationCanceledException>(() =>
            _setup.Stage.RunAsync(_setup.Context(inputs, parameters, checkpoints, progress), cut.Token)
        );
        var resumed = await _setup.Stage.RunAsync(_setup.Context(inputs, parameters, checkpoints), CancellationToken.None);

        checkpoints.Steps.ShouldBe([reached]);
        resumed.Outputs.ShouldBe(undisturbed.Outputs);
    }

    [Fact]
    public async Task Without_pictures_model_or_embeddings_it_trains_all_the_same()
    {
        var inputs = await _setup.InputsAsync(withImages: false);
        var bare = inputs.Where(input => !input.Key.StartsWith("embeddings", StringComparison.Ordinal)).ToDictionary();
        var result = await _setup.Stage.RunAsync(_setup.Context(bare), CancellationToken.None);

        result.Metrics.ContainsKey("zeroShot").ShouldBeFalse();
        result.Metrics.ContainsKey("monosemanticity").ShouldBeFalse();
        result.Outputs.ShouldContainKey("sae");
    }

    // `--device` reaches the stages whose parameters know one; a device that is not there may not be passed over in silence.
    [Fact]
    public async Task The_device_asked_for_is_the_one_that_trains()
    {
        var parameters = SaeTrainingSetup.Parameters;
        parameters["device"] = "cuda:99";
        var context = _setup.Context(await _setup.InputsAsync(), parameters);

        (await Should.ThrowAsync<UserErrorException>(() => _setup.Stage.RunAsync(context, CancellationToken.None))).Message.ShouldContain(
            "cuda:99"
        );
    }

    [Theory]
    [InlineData("{\"variant\":\"gated\"}", "sae.variant")]
    [InlineData("{\"k\":0}", "sae.k")]
    [InlineData("{\"heldOutShare\":0.7}", "sae.heldOutShare")]
    [InlineData("{\"maxSteps\":-1}", "sae.maxSteps")]
    [InlineData("{\"promptTemplate\":\"a photo\"}", "sae.promptTemplate")]
    [InlineData("{\"width\":3}", "width")]
    public void Impossible_parameters_are_named(string parameters, string key) =>
        Should.Throw<UserErrorException>(() => _setup.Stage.Normalize(JsonNode.Parse(parameters)!.AsObject())).Message.ShouldContain(key);

    [Fact]
    public async Task More_active_latents_than_there_are_is_a_clear_error()
    {
        var parameters = SaeTrainingSetup.Parameters;
        parameters["k"] = 65;
        var context = _setup.Context(await _setup.InputsAsync(), parameters);

        (await Should.ThrowAsync<UserErrorException>(() => _setup.Stage.RunAsync(context, CancellationToken.None))).Message.ShouldContain(
            "64 latents"
        );
    }

    [Fact]
    public async Task Losses_are_reported_while_it_trains()
    {
        var reports = new List<StageProgress>();
        await _setup.Stage.RunAsync(_setup.Context(await _setup.InputsAsync(), progress: new Reports(reports)), CancellationToken.None);

        reports.Select(report => report.Done).ShouldBe([20, 30]);
        reports[0].Values!["loss"].ShouldBeGreaterThan(0);
    }

    private sealed class FirstReport(Action<StageProgress> told) : IProgress<StageProgress>
    {
        private bool _isTold;

        public void Report(StageProgress value)
        {
            if (!_isTold)
            {
                _isTold = true;
                told(value);
            }
        }
    }

    private sealed class Reports(List<StageProgress> into) : IProgress<StageProgress>
    {
        public void Report(StageProgress value) => into.Add(value);
    }
}
