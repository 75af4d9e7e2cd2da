using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;
using ClipSae.Service;
using Microsoft.Extensions.DependencyInjection;

namespace ClipSae.Cli.Tests;

/// <summary>The log of a demo of 28 November 2026, its workers renamed: what people's data folders hold.</summary>
public class StoredRunTests
{
    [Fact]
    public async Task A_stored_log_is_read_and_written_as_it_was_but_for_parameters_that_have_other_names_now()
    {
        var ofToday = (await TextAsync())
            .Replace("\"rates\":", "\"learningRates\":", StringComparison.Ordinal)
            .Replace("\"warmupSteps\":", "\"warmUpSteps\":", StringComparison.Ordinal);
        var former = JsonNode.Parse(await TextAsync())!.AsArray();
        foreach (var (index, expected) in JsonNode.Parse(ofToday)!.AsArray().Index())
        {
            var happened = former[index].Deserialize<RunEvent>(ContractJson.Options)!;
            var written = JsonSerializer.SerializeToNode(happened, ContractJson.Options);

            JsonNode.DeepEquals(written, expected).ShouldBeTrue($"{expected!["type"]}: {written}");
        }
    }

    [Fact]
    public async Task A_stored_log_tells_what_was_asked_for_and_how_it_ended()
    {
        var state = RunState.Fold(await EventsAsync());

        state.Status.ShouldBe(RunStatus.Completed);
        state.Start!.Spec.Inputs.Count.ShouldBe(17);
        state.Start.Spec.Parameters["sae"]!["k"]!.GetValue<int>().ShouldBe(32);
        state.Start.Spec.ShouldBe(state.Start.Spec with { Seed = 0, Verify = false, Origin = null, Interactive = false });
        state.StagesInOrder().Sum(stage => stage.FinishedCount).ShouldBe(19);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Units_of_a_stored_run_have_the_same_keys_today_where_their_algorithm_is_the_same(bool beganNormalized)
    {
        var services = new ServiceCollection().AddSingleton(TimeProvider.System);
        StageCatalogue.AddAll(services);
        await using var provider = services.BuildServiceProvider();
        var stages = provider.GetServices<IStage>().ToDictionary(stage => stage.Name);
        var state = RunState.Empty;
        var compared = 0;
        foreach (var happened in await EventsAsync())
        {
            // The key of curation has the fonts of the machine in it.
            if (
                happened is UnitFinished { Stage: not ParameterSections.Curation } unit
                && state.Stages[unit.Stage].Plan.AlgorithmVersion == stages[unit.Stage].AlgorithmVersion
            )
            {
                var stage = stages[unit.Stage];
                var command = RunDecisions
                    .Outstanding(state)
                    .OfType<RunUnit>()
                    .Single(one => (one.Stage, one.Unit) == (unit.Stage, unit.Unit));
                var parameters = beganNormalized ? command.Parameters : stage.Normalize(command.Parameters);
                StageKeyParts.Of(stage, parameters, command.Inputs).Key().ShouldBe(unit.Key, $"{unit.Stage}/{unit.Unit}");
                compared++;
            }

            state = state.Apply(
                happened is RunStarted started && beganNormalized
                    ? started with
                    {
                        Plan = PlanParameters.Normalize(started.Plan, stages),
                    }
                    : happened
            );
        }

        compared.ShouldBeGreaterThan(0);
    }

    private static async Task<RunEvent[]> EventsAsync() => JsonSerializer.Deserialize<RunEvent[]>(await TextAsync(), ContractJson.Options)!;

    private static Task<string> TextAsync() =>
        File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Reference", "demo-run.json"), TestContext.Current.CancellationToken);
}
