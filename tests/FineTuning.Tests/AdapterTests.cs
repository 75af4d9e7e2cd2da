using System.Text.Json.Nodes;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.FineTuning.Arms;
using ClipSae.FineTuning.Settings;
using ClipSae.FineTuning.Training;
using ClipSae.Pipeline.Stages;
using TorchSharp;

namespace ClipSae.FineTuning.Tests;

/// <summary>Low-rank adaptation in place of the weights (<see cref="TuningAdapter.Lora"/>).</summary>
public sealed class AdapterTests : IDisposable
{
    private const int Rank = 2;
    private readonly TuningSetup _setup = new() { Sizes = TuningSetup.Other };

    public void Dispose() => _setup.Dispose();

    [Theory]
    [InlineData("none", "float32", false)]
    [InlineData("penalise", "bfloat16", true)]
    [InlineData("heads+distil", "float32", true)]
    public async Task Every_adapted_weight_moves_by_few_directions_and_nothing_else_moves(string arm, string compute, bool recompute)
    {
        var inputs = await _setup.InputsAsync();
        var result = await RunAsync(inputs, Parameters(arm, compute, recompute));

        using var basis = ClipModel.Load(await _setup.Store.FetchAsync(inputs["model"]));
        using var tuned = ClipModel.Load(await _setup.Store.FetchAsync(result.Outputs["model"]));
        tuned.Architecture.ShouldBe(TuningSetup.Other);
        var (before, after) = (basis.StateDict(), tuned.StateDict());
        after.Keys.ShouldBe(before.Keys, ignoreOrder: true);
        var isTextTrained = TuningArm.Parse(arm).UsesCaptions;
        // Where heads are taken out.
        foreach (var (key, weight) in after.Where(weight => !weight.Key.Contains("out_proj", StringComparison.Ordinal)))
        {
            var change = weight - before[key];
            var isAdapted =
                key.EndsWith("mlp.c_fc.weight", StringComparison.Ordinal)
                && (isTextTrained || key.StartsWith("visual.", StringComparison.Ordinal));
            (change.abs().max().item<float>() > 0).ShouldBe(isAdapted, key);
            if (isAdapted)
            {
                Rest(change).ShouldBeLessThan(1e-3, key);
            }
        }

        var curves = await _setup.CurvesAsync(result);
        curves.Drift.Select(drift => drift.Radius).ShouldAllBe(radius => radius == 0);
        curves.Drift[^1].Theta.ShouldBeGreaterThan(1e-4);
        curves.Steps.ShouldAllBe(step => step.GradientNorm > 0);
    }

    [Fact]
    public void Parameters_and_moments_are_those_of_the_adapter_alone()
    {
        using var model = ClipModel.Initialize(TuningSetup.Other, 5);
        model.Attach(new LowRankAdapter(Rank, 4, LowRankAdapter.Layers), seed: 0);
        ParameterGrouping.Freeze(model, new GroupLearningRates());
        var groups = ParameterGrouping.ByPart(model, new GroupLearningRates(), 0.1, adapterLearningRate: 1e-3).ToArray();

        // rank · (in + out) of the four layers of each block: 2 of the vision tower, 1 of the text tower.
        long OfBlock(int width, int neurons) => Rank * ((width + (3 * width)) + (width + width) + (width + neurons) + (neurons + width));
        groups
            .SelectMany(group => group.Parameters)
            .Sum(parameter => parameter.Value.NumberOfElements)
            .ShouldBe((2 * OfBlock(64, 240)) + OfBlock(64, 160));
        groups.Where(group => group.Parameters.Count > 0).ShouldAllBe(group => group.LearningRate == 1e-3);
    }

    [Fact]
    public async Task A_training_that_was_cut_ends_with_the_digests_of_an_undisturbed_one()
    {
        var inputs = await _setup.InputsAsync();
        var parameters = Parameters("none", "float32", recompute: false);
        var whole = await RunAsync(inputs, parameters);
        using var stop = new CancellationTokenSource();
        await Should.ThrowAsync<OperationCanceledException>(() =>
            _setup.Stage.RunAsync(
                _setup.Context(
                    inputs,
                    parameters,
                    "cut",
                    new Reports<StageProgress>(report =>
                    {
                        if (report.Done == 3)
                        {
                            stop.Cancel();
                        }
                    })
                ),
                stop.Token
            )
        );
        var resumed = await _setup.Stage.RunAsync(_setup.Context(inputs, parameters, "cut"), CancellationToken.None);

        resumed.Outputs.ShouldBe(whole.Outputs);
    }

    [Theory]
    [InlineData("""{"kind":"lora","rank":0}""")]
    [InlineData("""{"kind":"lora","targets":["q_proj"]}""")]
    [InlineData("""{"kind":"lora","learningRate":0}""")]
    public void What_is_no_adapter_is_refused_by_name(string adapter)
    {
        var parameters = TuningSetup.Parameters;
        parameters["adapter"] = JsonNode.Parse(adapter);

        Should
            .Throw<UserErrorException>(() => _setup.Stage.Normalize(parameters))
            .Message.ShouldContain("tuning.adapter: must be of a rank from 1 to 1024");
    }

    // A training without one has the key that it has always had.
    [Fact]
    public void No_adapter_leaves_no_trace_in_the_parameters() =>
        _setup.Stage.Normalize(TuningSetup.Parameters).ContainsKey("adapter").ShouldBeFalse();

    /// <summary>Singular values behind the first <see cref="Rank"/>, against the first.</summary>
    private static double Rest(torch.Tensor change)
    {
        var values = torch.linalg.svdvals(change).to(torch.float64).data<double>().ToArray();
        return values[Rank] / values[0];
    }

    private static JsonObject Parameters(string arm, string compute, bool recompute)
    {
        var parameters = TuningSetup.Parameters;
        (parameters["arm"], parameters["compute"], parameters["recompute"]) = (arm, compute, recompute);
        (parameters["headThreshold"], parameters["headCleanLoss"]) = (0, 0.9);
        parameters["adapter"] = new JsonObject
        {
            ["kind"] = "lora",
            ["rank"] = Rank,
            ["learningRate"] = 1e-2,
            ["targets"] = new JsonArray("c_fc"),
        };
        return parameters;
    }

    private Task<StageResult> RunAsync(Dictionary<string, ArtifactRef> inputs, JsonObject parameters) =>
        _setup.Stage.RunAsync(_setup.Context(inputs, parameters), CancellationToken.None);
}
