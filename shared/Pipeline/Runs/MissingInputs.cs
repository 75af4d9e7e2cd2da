namespace ClipSae.Pipeline.Runs;

/// <summary>The run inputs that stages do without: those that only given-up units of the stages before them took by name.</summary>
internal sealed class MissingInputs(RunState state)
{
    private readonly Dictionary<string, IReadOnlySet<string>?> _byStage = new(StringComparer.Ordinal);
    private readonly bool _any = state.Stages.Values.Any(stage => !stage.GivenUp.IsEmpty);

    /// <summary>Names of run inputs; null if there are none, the same set for the same stage.</summary>
    public IReadOnlySet<string>? For(StagePlan stage)
    {
        if (!_any)
        {
            return null;
        }

        if (!_byStage.TryGetValue(stage.Stage, out var missing))
        {
            missing = Of(stage);
            _byStage.Add(stage.Stage, missing);
        }

        return missing;
    }

    private HashSet<string>? Of(StagePlan stage)
    {
        // Only what waits for the stage that gave up was decided after it: any other may have been given out before.
        var before = new HashSet<string>(StringComparer.Ordinal);
        AddNeeded(stage, before);
        var missing = before
            .Select(name => state.Stages[name])
            .Where(needed => !needed.GivenUp.IsEmpty)
            .SelectMany(OfGivenUp)
            .ToHashSet(StringComparer.Ordinal);
        return missing.Count == 0 ? null : missing;
    }

    private void AddNeeded(StagePlan stage, HashSet<string> needed)
    {
        foreach (
            var name in state.Stages[stage.Stage].Groups.SelectMany(group => group.Needs).Where(state.Stages.ContainsKey).Where(needed.Add)
        )
        {
            AddNeeded(state.Stages[name].Plan, needed);
        }
    }

    private static IEnumerable<string> OfGivenUp(StageState stage)
    {
        var taken = stage.Plan.Units.ToLookup(
            unit => stage.GivenUp.Contains(unit.Name),
            unit =>
                unit.Inputs.Select(input => InputSource.Parse(input.From))
                    .OfType<InputSource.RunInput>()
                    .Where(input => !StarPattern.HasStar(input.Pattern))
                    .Select(input => input.Pattern)
        );
        return taken[true].SelectMany(names => names).Except(taken[false].SelectMany(names => names), StringComparer.Ordinal);
    }
}
