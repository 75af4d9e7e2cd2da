using ClipSae.Artifacts;
using ClipSae.Pipeline.Stages;
using MassTransit;

namespace ClipSae.Hosting.Worker;

/// <summary>Answers whether units of a stage that is hosted here could be carried out.</summary>
public sealed class UnitChecksConsumer(IEnumerable<IStage> stages, IArtifactStore artifacts) : IConsumer<CheckUnits>
{
    // Of a hundred thousand shards with the same parameters, one speaks for all.
    private const int MaxUnits = 1_000;

    public async Task Consume(ConsumeContext<CheckUnits> context)
    {
        string? problem = null;
        try
        {
            var asked = context.Message;
            var stage = stages.Single(stage => stage.Name == asked.Stage);
            await RequireAsync(
                stage,
                asked.Units.Select(unit => unit with { Parameters = stage.Normalize(unit.Parameters.DeepClone().AsObject()) }),
                asked.RunInputs,
                artifacts,
                context.CancellationToken
            );
        }
        catch (UserErrorException error)
        {
            problem = error.Message;
        }

        await context.RespondAsync(new UnitsChecked(problem));
    }

    /// <summary>The units of a stage that are checked.</summary>
    internal static IReadOnlyList<CheckedUnit> UnitsOf(StagePlan stage)
    {
        var units = stage.Units.Select(unit => new CheckedUnit(unit.Name, StageParameters.Overlay(stage.Parameters, unit.Parameters)));
        return [.. stage.Units.Count <= MaxUnits ? units : units.DistinctBy(unit => unit.Parameters.ToJsonString())];
    }

    /// <param name="units">Units, their parameters normalized.</param>
    /// <exception cref="UserErrorException">A unit could not be carried out; the message says why.</exception>
    internal static async Task RequireAsync(
        IStage stage,
        IEnumerable<CheckedUnit> units,
        IReadOnlyDictionary<string, ArtifactRef> runInputs,
        IArtifactStore artifacts,
        CancellationToken cancel
    )
    {
        foreach (var unit in units)
        {
            await stage.CheckAsync(new UnitCheck(unit.Name, unit.Parameters, runInputs, artifacts), cancel);
        }
    }
}
