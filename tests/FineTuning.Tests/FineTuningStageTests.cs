using System.Text.Json.Nodes;
using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Model;
using ClipSae.FineTuning.Arms;
using ClipSae.Pipeline.Stages;
using ClipSae.Results;
using ClipSae.Results.Tuning;

namespace ClipSae.FineTuning.Tests;

public sealed class FineTuningStageTests : IDisposable
{
    private readonly TuningSetup _setup = new();

    public void Dispose() => _setup.Dispose();

    [Theory]
    [InlineData("none")]
    [InlineData("amplify")]
    [InlineData("amplify-random")]
    [InlineData("suppress")]
    [InlineData("suppress-random")]
    [InlineData("penalise")]
    [InlineData("penalise-random")]
    [InlineData("penalise-only")]
    [InlineData("penalise-only-random")]
    [InlineData("distil")]
    [InlineData("keep-features")]
    [InlineData("distil+keep-features")]
    [InlineData("distil+keep-features-random")]
    [InlineData("keep-reading")]
    [InlineData("distil+keep-reading")]
    [InlineData("heads+distil")]
    [InlineData("hinge-heads")]
    public async Task Every_arm_trains_a_model_in_geometric_parametrization(string arm)
    {
        var parameters = TuningSetup.Parameters;
        parameters["arm"] = arm;
        parameters["headThreshold"] = 0;
        parameters["headCleanLoss"] = 0.9;
        var result = await RunAsync(await _setup.InputsAsync(), parameters);

        result.Outputs.Keys.Order().ShouldBe(["curves", "model"]);
        using var model = ClipModel.Load(await _setup.Store.FetchAsync(result.Outputs["model"]));
        model.IsGeometric.ShouldBeTrue();
        var curves = await _setup.CurvesAsync(result);
        (curves.Arm, curves.Steps.Count).ShouldBe((arm, 6));
        curves.Validation.Select(v => v.Step).ShouldBe([0, 1, 2, 3, 4, 5, 6]);
        curves.Drift[6].Theta.ShouldBeGreaterThan(0);
        curves.Steps.ShouldAllBe(step => step.AttackLoss == null == !TuningArm.Parse(arm).CaptionsAttacks);
        var addsNothing = arm is "none" or "amplify" or "amplify-random" or "suppress" or "suppress-random";
        curves.Steps.ShouldAllBe(step => step.Penalty == null == addsNothing);
    }

    [Theory]
    [InlineData("null-token")]
    [InlineData("null-token+distil")]
    public async Task A_null_token_is_all_that_is_trained(string arm)
    {
        var parameters = TuningSetup.Parameters;
        parameters["arm"] = arm;
        parameters["alphas"] = new JsonArray(0.5);
        var inputs = await _setup.InputsAsync();
        var result = await RunAsync(inputs, parameters);

        using var tuned = ClipModel.Load(await _setup.Store.FetchAsync(result.Outputs["model"]));
        using var basis = ClipModel.Load(await _setup.Store.FetchAsync(inputs["model"]));
        basis.ToGeometric();
        var before = basis.StateDict();
        tuned.NullToken!.Block.ShouldBe(1); // the middle one of two
        tuned
            .StateDict()
            .Where(weight => !before.TryGetValue(weight.Key, out var old) || !weight.Value.Equals(old))
            .Select(weight => weight.Key)
            .ShouldBe(["visual.null_token.1"]);
        var curves = await _setup.CurvesAsync(result);
        (curves.Steps.Count, curves.Interpolation.Count).ShouldBe((6, 0));
        curves.Steps.ShouldAllBe(step => step.GradientNorm > 0);
    }

    [Theory]
    [InlineData("heads")]
    [InlineData("heads-random")]
    public async Task Heads_are_taken_out_without_training(string arm)
    {
        var parameters = TuningSetup.Parameters;
        parameters["arm"] = arm;
        parameters["headThreshold"] = 0;
        parameters["headCleanLoss"] = 0.9;
        var inputs = await _setup.InputsAsync();
        var result = await RunAsync(inputs, parameters);

        using var tuned = ClipModel.Load(await _setup.Store.FetchAsync(result.Outputs["model"]));
        using var basis = ClipModel.Load(await _setup.Store.FetchAsync(inputs["model"]));
        basis.ToGeometric();
        var (before, after) = (basis.StateDict(), tuned.StateDict());
        var curves = await _setup.CurvesAsync(result);
        var layer = curves.Heads![0].Layer;
        var projection = $"visual.transformer.resblocks.{layer}.attn.out_proj.";
        after
            .Where(weight => !weight.Value.Equals(before[weight.Key]))
            .Select(weight => weight.Key)
            .Order()
            .ShouldBe([projection + "bias", projection + "weight"]);
        after[projection + "weight"].abs().max().item<float>().ShouldBe(0);
        (curves.Steps.Count, curves.Best!.Step, Metrics(result).AblatedHeads).ShouldBe((0, 1, 1));
        curves.Validation.Count.ShouldBe(2);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    public async Task Reading_is_measured_of_base_and_result_and_at_every_step_where_it_costs_something(double cost)
    {
        var parameters = TuningSetup.Parameters;
        parameters["readingCost"] = cost;
        var result = await RunAsync(await _setup.InputsAsync(), parameters);

        Metrics(result).ReadingValidationImages.ShouldNotBeNull().ShouldBe(Metrics(result).AttackValidationImages!.Value);
        var curves = await _setup.CurvesAsync(result);
        var best = curves.Best!.Step;
        curves.Best.Reading.ShouldNotBeNull();
        curves.Validation.ShouldAllBe(v => v.Reading != null == (cost > 0 || v.Step == 0 || v.Step == best));
    }

    [Fact]
    public async Task Base_and_result_are_compared_by_family_of_print_where_curation_gives_families()
    {
        var inputs = await _setup.InputsAsync();
        inputs["families"] = await _setup.PutShardAsync([]);
        var without = await RunAsync(inputs, TuningSetup.Parameters);
        inputs["families"] = await _setup.PutShardAsync(TuningSetup.Families());
        var result = await RunAsync(inputs, TuningSetup.Parameters);
        var families = Metrics(result).Families.ShouldNotBeNull();

        families
            .Select(family => (family.Family, family.HeldOut, family.Images))
            .ShouldBe([("outline", true, 6), ("small", true, 6), ("plate", false, 6)]);
        var metrics = families
            .SelectMany(family => new[] { family.Before, family.After })
            .SelectMany(rates => new[] { rates.Attacked, rates.AttackSuccess!.Value });
        metrics.ShouldAllBe(rate => Math.Abs((6 * rate) - Math.Round(6 * rate)) < 1e-4 && rate >= 0 && rate <= 1);
        (await _setup.CurvesAsync(result)).Families.ShouldBe(families);
        Metrics(result).AttackValidationImages.ShouldBe(12);
        Metrics(without).Families.ShouldBeNull();
        inputs.Remove("families");
        (await RunAsync(inputs, TuningSetup.Parameters)).Outputs.ShouldBe(without.Outputs);
    }

    [Fact]
    public async Task The_weights_carry_what_they_were_made_of_and_how()
    {
        var inputs = await _setup.InputsAsync();
        var parameters = TuningSetup.Parameters;
        parameters["arm"] = "penalise";
        var result = await RunAsync(inputs, parameters);

        using var checkpoint = ClipCheckpoint.Open(await _setup.Store.FetchAsync(result.Outputs["model"]));
        checkpoint.Metadata["clipsae_base"].ShouldBe(inputs["model"].Digest);
        checkpoint.Metadata["clipsae_attacks"].ShouldBe(inputs["attacks"].Digest);
        checkpoint.Metadata["clipsae_stage"].ShouldBe($"fine-tuning/{_setup.Stage.AlgorithmVersion}");
        JsonNode.DeepEquals(JsonNode.Parse(checkpoint.Metadata["clipsae_parameters"]), _setup.Stage.Normalize(parameters)).ShouldBeTrue();
    }

    [Fact]
    public async Task Captions_that_were_cut_are_counted()
    {
        var inputs = await _setup.InputsAsync();
        inputs["shards/00000"] = await _setup.PutShardAsync(
            TuningSetup
                .Clean(0, TuningSetup.CleanImages / 2)
                .Select(
                    (entry, i) =>
                        i == 0 ? (entry.Item with { Captions = [string.Join(' ', Enumerable.Repeat("cat", 40))] }, entry.Image) : entry
                )
        );

        Metrics(await RunAsync(inputs, TuningSetup.Parameters)).CutCaptions.ShouldBe(1);
    }

    [Fact]
    public async Task Arms_end_in_different_weights()
    {
        var inputs = await _setup.InputsAsync();
        var digests = new List<string>();
        foreach (
            var arm in new[]
            {
                "none",
                "amplify",
                "amplify-random",
                "suppress",
                "penalise",
                "penalise-random",
                "penalise-only",
                "distil",
                "keep-features",
                "keep-features-random",
                "distil+keep-features",
            }
        )
        {
            var parameters = TuningSetup.Parameters;
            parameters["arm"] = arm;
            digests.Add((await RunAsync(inputs, parameters)).Outputs["model"].Digest);
        }

        digests.Distinct().Count().ShouldBe(digests.Count);
    }

    [Theory]
    [InlineData("penalise", 1, "float32", false)]
    [InlineData("amplify", 2, "float32", false)]
    [InlineData("penalise", 1, "bfloat16", true)]
    public async Task Same_input_gives_the_same_digests(string arm, int accumulation, string compute, bool recompute)
    {
        var inputs = await _setup.InputsAsync();
        var parameters = TuningSetup.Parameters;
        (parameters["arm"], parameters["accumulation"], parameters["compute"], parameters["recompute"]) = (
            arm,
            accumulation,
            compute,
            recompute
        );
        var first = await RunAsync(inputs, parameters);
        var second = await RunAsync(inputs, parameters);

        second.Outputs.ShouldBe(first.Outputs);
        second.Metrics.ToJsonString().ShouldBe(first.Metrics.ToJsonString());
    }

    [Fact]
    public async Task Stages_at_work_at_once_do_not_disturb_one_another()
    {
        var inputs = await _setup.InputsAsync();
        var alone = await RunAsync(inputs);
        var together = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => RunAsync(inputs))));

        together.ShouldAllBe(result => result.Outputs["model"] == alone.Outputs["model"]);
    }

    [Theory]
    [InlineData("none", "adamw", 2, 1, true)]
    [InlineData("penalise", "adamw", 3, 1, false)]
    [InlineData("penalise", "adamw", 3, 1, true)]
    [InlineData("amplify", "adabelief", 4, 1, false)]
    [InlineData("none", "adamw", 5, 6, true)]
    [InlineData("none", "adamw", 5, 6, false)]
    [InlineData("penalise", "adabelief", 4, 1, false, "bfloat16")]
    [InlineData("none", "adamw", 3, 6, true, "bfloat16")]
    [InlineData("none", "adamw", 3, 6, false, "float32", "int8")]
    [InlineData("none", "adamw", 3, 6, true, "bfloat16", "int8")]
    public async Task A_training_that_was_cut_ends_with_the_digests_of_an_undisturbed_one(
        string arm,
        string optimizer,
        int cutAfter,
        int validationInterval,
        bool isTold,
        string compute = "float32",
        string moments = "float32"
    )
    {
        var inputs = await _setup.InputsAsync();
        var parameters = TuningSetup.Parameters;
        (parameters["arm"], parameters["validationInterval"]) = (arm, validationInterval);
        parameters["optimizer"] = new JsonObject { ["kind"] = optimizer };
        (parameters["compute"], parameters["moments"]) = (compute, moments);
        var undisturbed = await RunAsync(inputs, parameters);

        using var cut = new CancellationTokenSource();
        var first = new List<long>();
        await Should.ThrowAsync<Exception>(() =>
            _setup.Stage.RunAsync(
                _setup.Context(
                    inputs,
                    parameters,
                    "cut",
                    new Reports<StageProgress>(report =>
                    {
                        first.Add(report.Done);
                        if (report.Done == cutAfter && !isTold)
                        {
                            throw new TimeoutException("as a crash: nothing more is saved");
                        }

                        if (report.Done == cutAfter)
                        {
                            cut.Cancel();
                        }
                    })
                ),
                cut.Token
            )
        );
        var second = new List<long>();
        var resumed = await _setup.Stage.RunAsync(
            _setup.Context(inputs, parameters, "cut", new Reports<StageProgress>(report => second.Add(report.Done))),
            CancellationToken.None
        );

        first.ShouldBe(Enumerable.Range(1, cutAfter).Select(step => (long)step));
        // Checkpoints are made every two steps, and one more by a training that is told to stop.
        second[0].ShouldBe((isTold ? cutAfter : cutAfter / 2 * 2) + 1);
        resumed.Outputs.ShouldBe(undisturbed.Outputs);
        resumed.Metrics.ToJsonString().ShouldBe(undisturbed.Metrics.ToJsonString());
    }

    // Told to stop at moments that fall into a step, its validation or its checkpoint: a step that was taken is never taken again.
    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(6)]
    [InlineData(9)]
    [InlineData(12)]
    [InlineData(16)]
    [InlineData(20)]
    public async Task A_training_that_is_told_to_stop_at_any_moment_goes_on_with_the_next_step(int milliseconds)
    {
        var inputs = await _setup.InputsAsync();
        var parameters = TuningSetup.Parameters;
        parameters["checkpointInterval"] = 1000;
        var undisturbed = await RunAsync(inputs, parameters);

        using var cut = new CancellationTokenSource();
        var first = new List<long>();
        await Should.ThrowAsync<OperationCanceledException>(() =>
            _setup.Stage.RunAsync(
                _setup.Context(
                    inputs,
                    parameters,
                    "cut",
                    new Reports<StageProgress>(report =>
                    {
                        first.Add(report.Done);
                        if (report.Done == 2)
                        {
                            cut.CancelAfter(milliseconds);
                        }

                        if (report.Done == 5)
                        {
                            cut.Cancel(); // on a machine that is quicker than the clock
                        }
                    })
                ),
                cut.Token
            )
        );
        var second = new List<long>();
        var resumed = await _setup.Stage.RunAsync(
            _setup.Context(inputs, parameters, "cut", new Reports<StageProgress>(report => second.Add(report.Done))),
            CancellationToken.None
        );

        second[0].ShouldBeInRange(first[^1] + 1, first[^1] + 2); // the step that was validated last is not reported twice
        resumed.Outputs.ShouldBe(undisturbed.Outputs);
        resumed.Metrics.ToJsonString().ShouldBe(undisturbed.Metrics.ToJsonString());
    }

    // Parameters stay float32: what bfloat16 rounds is the way to their gradients.
    [Fact]
    public async Task A_training_in_bfloat16_ends_near_that_in_float32()
    {
        var inputs = await _setup.InputsAsync();
        var parameters = TuningSetup.Parameters;
        parameters["validationInterval"] = 6; // the last step's weights are given
        var full = await RunAsync(inputs, parameters);
        parameters["compute"] = "bfloat16";
        var half = await RunAsync(inputs, parameters);

        using var start = TuningSetup.Model();
        using var expected = ClipModel.Load(await _setup.Store.FetchAsync(full.Outputs["model"]));
        using var actual = ClipModel.Load(await _setup.Store.FetchAsync(half.Outputs["model"]));
        double Distance(IReadOnlyDictionary<string, TorchSharp.torch.Tensor> a, IReadOnlyDictionary<string, TorchSharp.torch.Tensor> b) =>
            Math.Sqrt(a.Sum(weight => (weight.Value - b[weight.Key]).square().sum().item<float>()));
        var moved = Distance(expected.StateDict(), start.StateDict());
        // Adam's first steps go by the gradients' signs, which flip where a gradient is near zero.
        Distance(actual.StateDict(), expected.StateDict()).ShouldBeInRange(1e-6 * moved, 0.3 * moved);
    }

    [Fact]
    public async Task The_weights_given_are_those_of_the_best_validation()
    {
        var inputs = await _setup.InputsAsync();
        var parameters = TuningSetup.Parameters;
        // With a floor of 1 the rate does not depend on how many steps are to come, so a shorter training ends where a longer one passes
        // by.
        parameters["schedule"]!["floor"] = 1;
        var whole = await RunAsync(inputs, parameters);
        var best = Metrics(whole).BestStep!.Value;
        (parameters["steps"], parameters["validationInterval"]) = (best, best);
        var shorter = await RunAsync(inputs, parameters);

        best.ShouldBeInRange(1, 5);
        // The headers tell of different parameters; the weights are the same to the bit.
        using var expected = ClipCheckpoint.Open(await _setup.Store.FetchAsync(whole.Outputs["model"]));
        using var actual = ClipCheckpoint.Open(await _setup.Store.FetchAsync(shorter.Outputs["model"]));
        actual.Keys.ShouldBe(expected.Keys);
        actual.Keys.ShouldAllBe(key => actual.Read(key).Equals(expected.Read(key)));
    }

    [Fact]
    public async Task Mixtures_with_the_base_are_tried_last_and_the_best_of_all_is_given()
    {
        var inputs = await _setup.InputsAsync();
        var parameters = TuningSetup.Parameters;
        parameters["alphas"] = new JsonArray(0.25, 0.5);
        var result = await RunAsync(inputs, parameters);
        var curves = await _setup.CurvesAsync(result);
        var tried = curves.Interpolation;
        var scores = curves.Validation.Skip(1).Concat(tried).Select(v => v.Score);

        tried.Select(v => v.Alpha).ShouldBe([0.5, 0.25]);
        curves.Best!.Score.ShouldBe(scores.Max());
        Metrics(result).Alpha.ShouldBe(curves.Alpha);
        using var checkpoint = ClipCheckpoint.Open(await _setup.Store.FetchAsync(result.Outputs["model"]));
        checkpoint.Metadata.ContainsKey("clipsae_alpha").ShouldBe(curves.Alpha < 1);
        (await RunAsync(inputs, parameters)).Outputs.ShouldBe(result.Outputs);
    }

    [Fact]
    public async Task Frozen_parts_are_the_bases()
    {
        var inputs = await _setup.InputsAsync();
        var parameters = TuningSetup.Parameters;
        parameters["learningRates"] = new JsonObject
        {
            ["vision"] = 2e-3,
            ["text"] = 0,
            ["tokenEmbedding"] = 0,
            ["positions"] = 0,
            ["projections"] = 0,
        };
        var result = await RunAsync(inputs, parameters);

        await RequireTrainedAsync(result, "visual.transformer.");
    }

    [Fact]
    public async Task Without_captions_the_text_tower_is_the_bases_to_the_bit()
    {
        var parameters = TuningSetup.Parameters;
        parameters["arm"] = "distil";
        var result = await RunAsync(await _setup.InputsAsync(), parameters);

        await RequireTrainedAsync(result, "visual.");
    }

    [Fact]
    public async Task Attacks_are_seen_in_their_share_of_the_steps_alone()
    {
        var parameters = TuningSetup.Parameters;
        parameters["attackShare"] = 0.5;
        var curves = await _setup.CurvesAsync(await RunAsync(await _setup.InputsAsync(), parameters));

        curves.Steps.Select(step => step.AttackLoss != null).ShouldBe([true, true, true, false, false, false]);
    }

    /// <summary>The parameters that begin so have changed, all of them and no others.</summary>
    private async Task RequireTrainedAsync(StageResult result, string prefix)
    {
        using var model = ClipModel.Load(await _setup.Store.FetchAsync(result.Outputs["model"]));
        using var start = TuningSetup.Model();
        var before = start.StateDict();
        model
            .StateDict()
            .Where(p => !p.Value.Equals(before[p.Key]))
            .Select(p => p.Key)
            .ShouldBe(before.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal)), ignoreOrder: true);
    }

    [Theory]
    [InlineData("{\"arm\":\"louder\"}", "tuning.arms: 'louder' is not an arm")]
    [InlineData("{\"steps\":0}", "tuning.steps")]
    [InlineData("{\"attackShare\":0}", "tuning.attackShare")]
    [InlineData("{\"amplification\":0.5}", "tuning.amplification")]
    [InlineData("{\"validationShare\":0.5}", "tuning.validationShare")]
    [InlineData("{\"learningRates\":{\"vision\":-1e-7}}", "tuning.learningRates")]
    [InlineData(
        "{\"learningRates\":{\"vision\":0,\"text\":0,\"tokenEmbedding\":0,\"positions\":0,\"projections\":0}}",
        "tuning.learningRates"
    )]
    [InlineData("{\"alphas\":[1]}", "tuning.alphas")]
    [InlineData("{\"keepWeight\":-1}", "tuning.keepWeight")]
    [InlineData("{\"step\":5}", "unknown parameter step")]
    [InlineData("{\"optimizer\":{\"kind\":\"sgd\"}}", "optimizer")]
    public void Impossible_parameters_are_named(string parameters, string part)
    {
        var message = Should.Throw<UserErrorException>(() => _setup.Stage.Normalize(JsonNode.Parse(parameters)!.AsObject())).Message;
        message.ShouldContain(part);
        message.ShouldNotContain('\n');
    }

    [Fact]
    public async Task An_arm_that_needs_the_autoencoder_says_so_where_it_is_missing()
    {
        var inputs = await _setup.InputsAsync();
        inputs.Remove("sae/mlp@0");
        var parameters = TuningSetup.Parameters;
        parameters["arm"] = "penalise";

        (await ShouldFailAsync(inputs, parameters)).ShouldBe("fine-tuning: the SAE of mlp@0 is not among the inputs (sae/mlp@0)");
        (await RunAsync(inputs)).Outputs.ShouldContainKey("model");
    }

    [Fact]
    public async Task An_arm_that_scales_neurons_needs_some()
    {
        var inputs = await _setup.InputsAsync();
        inputs["salient"] = await _setup.PutAsync(TuningSetup.Salient with { Neurons = [] });
        var parameters = TuningSetup.Parameters;
        parameters["arm"] = "amplify";

        (await ShouldFailAsync(inputs, parameters)).ShouldStartWith(
            "fine-tuning: curation found no salient neuron, so the arm amplify would be the arm none"
        );
    }

    [Fact]
    public async Task Too_few_images_are_a_clear_error()
    {
        var inputs = await _setup.InputsAsync();
        inputs.Remove("shards/00001");
        inputs["shards/00000"] = await _setup.PutShardAsync(TuningSetup.Clean(0, 7));

        (await ShouldFailAsync(inputs)).ShouldStartWith(
            "fine-tuning: 6 clean and 20 attack images are left for training; at least 8 and 1 are needed"
        );
    }

    [Fact]
    public async Task A_missing_input_is_named()
    {
        var inputs = await _setup.InputsAsync();
        inputs.Remove("controls");

        (await ShouldFailAsync(inputs)).ShouldContain("input controls is missing");
    }

    [Fact]
    public async Task A_training_that_diverges_is_a_clear_error()
    {
        var parameters = TuningSetup.Parameters;
        parameters["learningRates"]!["vision"] = 1e30;
        (await ShouldFailAsync(await _setup.InputsAsync(), parameters)).ShouldStartWith(
            "fine-tuning: the loss is no longer a number at step "
        );
    }

    private static TuningMetrics Metrics(StageResult result) => ResultFormats.TuningMetrics.Read(result.Metrics, "figures");

    private Task<StageResult> RunAsync(Dictionary<string, ArtifactRef> inputs, JsonObject? parameters = null) =>
        _setup.Stage.RunAsync(_setup.Context(inputs, parameters), CancellationToken.None);

    private async Task<string> ShouldFailAsync(Dictionary<string, ArtifactRef> inputs, JsonObject? parameters = null)
    {
        var message = (await Should.ThrowAsync<UserErrorException>(() => RunAsync(inputs, parameters))).Message;
        message.ShouldNotContain('\n');
        return message;
    }
}
