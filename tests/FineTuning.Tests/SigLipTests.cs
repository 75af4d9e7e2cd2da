using System.Text.Json.Nodes;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.FineTuning.Arms;
using ClipSae.Pipeline.Stages;

namespace ClipSae.FineTuning.Tests;

/// <summary>Fine-tuning of a SigLIP: no class token, its own loss, its own vocabulary.</summary>
public sealed class SigLipTests : IDisposable
{
    private static readonly string Vocabulary = Path.Combine(AppContext.BaseDirectory, "Reference", "siglip.model");

    private static readonly ClipArchitecture Sizes = new(64, TuningSetup.Resolution, 2, 64, 8, 16, 500, 48, 1)
    {
        Family = ClipFamily.SigLip,
        TextHeads = 2,
    };

    private readonly TuningSetup _setup = new() { Sizes = Sizes };

    public void Dispose() => _setup.Dispose();

    [Theory]
    [InlineData("none")]
    [InlineData("amplify")]
    [InlineData("penalise")]
    [InlineData("distil+keep-features")]
    [InlineData("keep-reading")]
    [InlineData("null-token+distil")]
    [InlineData("none", "adapter")]
    [InlineData("none", "bfloat16")]
    [InlineData("none", "recompute")]
    public async Task Arms_train_it_by_its_own_loss(string arm, string? with = null)
    {
        var parameters = TuningSetup.Parameters;
        (parameters["arm"], parameters["steps"]) = (arm, 3);
        parameters["adapter"] = with == "adapter" ? new JsonObject { ["kind"] = "lora", ["rank"] = 2 } : null;
        (parameters["compute"], parameters["recompute"]) = (with == "bfloat16" ? "bfloat16" : "float32", with == "recompute");
        var result = await RunAsync(parameters);

        using var tuned = ClipCheckpoint.Open(await _setup.Store.FetchAsync(result.Outputs["model"]));
        (tuned.Architecture, tuned.IsGeometric).ShouldBe((Sizes, with != "adapter"));
        using var bias = tuned.Read(ClipKeys.LogitBias);
        var usesCaptions = TuningArm.Parse(arm).UsesCaptions;
        (bias.item<float>() != -10).ShouldBe(usesCaptions && with != "adapter");
        var steps = (await _setup.CurvesAsync(result)).Steps;
        steps.Count.ShouldBe(3);
        steps.ShouldAllBe(step => double.IsFinite(step.Loss!.Value) && step.Loss > 0);
        if (usesCaptions)
        {
            // At a scale of 10 and a bias of −10 every match costs about 10 less ten times its cosine, and each of twelve images has
            // several: the softmax gives ln 12 at first.
            steps[0].Loss!.Value.ShouldBeGreaterThan(5);
        }
    }

    [Theory]
    [InlineData("heads+distil", "symmetric", "looks for attention heads by what the class token looks at")]
    [InlineData("hinge-heads", "symmetric", "looks for attention heads by what the class token looks at")]
    [InlineData("none", "compat", "compat is made for the softmax")]
    public async Task What_it_has_not_is_refused_before_it_is_trained(string arm, string loss, string message)
    {
        var parameters = TuningSetup.Parameters;
        (parameters["arm"], parameters["loss"]) = (arm, loss);

        (await Should.ThrowAsync<UserErrorException>(() => RunAsync(parameters))).Message.ShouldContain(message);
    }

    private async Task<StageResult> RunAsync(JsonObject parameters)
    {
        var inputs = await _setup.InputsAsync();
        inputs["tokenizer"] = await _setup.Store.PutFileAsync(Vocabulary, "spiece.model", "application/octet-stream");
        return await _setup.Stage.RunAsync(_setup.Context(inputs, parameters), CancellationToken.None);
    }
}
