namespace ClipSae.Pipeline.Runs;

/// <summary>Finds what selectors select in a run, each selector once however many units ask for it.</summary>
internal sealed class InputResolver(RunState state)
{
    private static readonly HashSet<string> Nothing = [];
    private readonly MissingInputs _missing = new(state);
    private readonly Dictionary<(InputSelector, IReadOnlySet<string>), IReadOnlyList<KeyValuePair<string, ArtifactRef>>> _resolved = [];

    /// <summary>
    /// Inputs of a unit by name, in ordinal order. A selector that matches nothing gives nothing; the stage says what it misses. What a
    /// star selects does without the run inputs of units that an earlier stage has given up.
    /// </summary>
    public IReadOnlyDictionary<string, ArtifactRef> Resolve(StagePlan stage, UnitPlan unit)
    {
        var missing = _missing.For(stage);
        var inputs = new SortedDictionary<string, ArtifactRef>(StringComparer.Ordinal);
        foreach (var (name, artifact) in stage.Inputs.Concat(unit.Inputs).SelectMany(selector => Resolve(selector, missing ?? Nothing)))
        {
            inputs[name] = artifact;
        }

        return inputs;
    }

    private IReadOnlyList<KeyValuePair<string, ArtifactRef>> Resolve(InputSelector selector, IReadOnlySet<string> missing)
    {
        if (!_resolved.TryGetValue((selector, missing), out var found))
        {
            found =
            [
                .. InputSource.Parse(selector.From) switch
                {
                    InputSource.RunInput input => RunInputs(selector.As, input, missing),
                    InputSource.StageOutput output => StageOutputs(selector.As, output),
                    _ => [],
                },
            ];
            _resolved.Add((selector, missing), found);
        }

        return found;
    }

    private IEnumerable<KeyValuePair<string, ArtifactRef>> RunInputs(string name, InputSource.RunInput source, IReadOnlySet<string> missing)
    {
        var inputs = state.Start!.Spec.Inputs;
        return StarPattern.HasStar(source.Pattern)
                ? from input in inputs
                where !missing.Contains(input.Key)
                let matched = StarPattern.Match(source.Pattern, input.Key)
                where matched is not null
                select KeyValuePair.Create(Named(name, matched), input.Value)
            : inputs.TryGetValue(source.Pattern, out var artifact) ? [KeyValuePair.Create(name, artifact)]
            : [];
    }

    private IEnumerable<KeyValuePair<string, ArtifactRef>> StageOutputs(string name, InputSource.StageOutput source)
    {
        if (!state.Stages.TryGetValue(source.Stage, out var stage))
        {
            return [];
        }

        var units =
            StarPattern.HasStar(source.Unit) ? stage.FinishedUnits()
            : stage.Finished(source.Unit) is { } one ? [one]
            : [];
        return from unit in units
            let unitMatched = StarPattern.Match(source.Unit, unit.Unit)
            where unitMatched is not null
            from output in Outputs(unit, source.Output)
            select KeyValuePair.Create(Named(name, [.. unitMatched, .. output.Matched]), output.Artifact);
    }

    private static IEnumerable<(IReadOnlyList<string> Matched, ArtifactRef Artifact)> Outputs(UnitFinished unit, string pattern) =>
        StarPattern.HasStar(pattern)
            ? from output in unit.Outputs
            let matched = StarPattern.Match(pattern, output.Key)
            where matched is not null
            select (matched, output.Value)
        : unit.Outputs.TryGetValue(pattern, out var artifact) ? [([], artifact)]
        : [];

    private static string Named(string name, IReadOnlyList<string> matched) =>
        matched.Count == 0 ? name : name + "/" + string.Join('/', matched);
}
