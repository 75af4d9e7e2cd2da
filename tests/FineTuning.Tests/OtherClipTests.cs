using System.Text.Json.Nodes;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.Pipeline.Stages;

namespace ClipSae.FineTuning.Tests;

/// <summary>Fine-tuning of a CLIP that differs from OpenAI's in what its weights do not say.</summary>
public sealed class OtherClipTests : IDisposable
{
    private readonly TuningSetup _setup = new() { Sizes = TuningSetup.Other };

    public void Dispose() => _setup.Dispose();

    [Theory]
    [InlineData("none")]
    [InlineData("penalise-only-random")]
    [InlineData("distil+keep-reading")]
    [InlineData("heads+distil")]
    [InlineData("hinge-heads")]
    [InlineData("null-token+distil")]
    public async Task Every_arm_trains_it_as_what_it_is_and_says_so_in_the_weights(string arm)
    {
        var parameters = TuningSetup.Parameters;
        (parameters["arm"], parameters["steps"], parameters["headThreshold"], parameters["headCleanLoss"]) = (arm, 2, 0, 0.9);
        var inputs = await _setup.InputsAsync();
        var trained = await RunAsync(inputs, parameters);
        var steps = new List<(double?, double?)> { await LastStepAsync(trained) };
        // Distillation compares pictures alone.
        ClipArchitecture[] ofTexts = arm.Contains("distil", StringComparison.Ordinal) ? [] : [TuningSetup.Other with { TextHeads = 1 }];
        foreach (
            var named in ofTexts.Concat([
                TuningSetup.Other with
                {
                    Activation = MlpActivation.Gelu,
                },
                TuningSetup.Other with
                {
                    VisionHeads = 1,
                },
            ])
        )
        {
            inputs["model"] = await _setup.RelabelledAsync(named);
            steps.Add(await LastStepAsync(await RunAsync(inputs, parameters)));
        }

        steps.Distinct().Count().ShouldBe(steps.Count, string.Join(", ", steps));
        using var checkpoint = ClipCheckpoint.Open(await _setup.Store.FetchAsync(trained.Outputs["model"]));
        (checkpoint.Architecture, checkpoint.IsActivationAssumed).ShouldBe((TuningSetup.Other, false));
    }

    private async Task<(double? Loss, double? GradientNorm)> LastStepAsync(StageResult result) =>
        (await _setup.CurvesAsync(result)).Steps[^1] is var step ? (step.Loss, step.GradientNorm) : default;

    private Task<StageResult> RunAsync(Dictionary<string, ArtifactRef> inputs, JsonObject parameters) =>
        _setup.Stage.RunAsync(_setup.Context(inputs, parameters), CancellationToken.None);
}
