using ClipSae.Contracts;

namespace ClipSae.Pipeline;

/// <summary>Finds what selectors select in a run, each selector once however many units ask for it.</summary>
internal sealed class InputResolver(RunState state)
{
    private readonly Dictionary<InputSelector, IReadOnlyList<KeyValuePair<string, ArtifactRef>>> _resolved = [];

    /// <summary>Inputs by name, in ordinal order. A selector that matches nothing gives nothing; the stage says what it misses.</summary>
    public IReadOnlyDictionary<string, ArtifactRef> Resolve(IEnumerable<InputSelector> selectors)
    {
        var inputs = new SortedDictionary<string, ArtifactRef>(StringComparer.Ordinal);
        foreach (var (name, artifact) in selectors.SelectMany(Resolve))
        {
            inputs[name] = artifact;
        }

        return inputs;
    }

    private IReadOnlyList<KeyValuePair<string, ArtifactRef>> Resolve(InputSelector selector)
    {
        if (!_resolved.TryGetValue(selector, out var found))
        {
            found = [.. InputSource.Parse(selector.From) switch
            {
                InputSource.RunInput input => RunInputs(selector.As, input),
                InputSource.StageOutput output => StageOutputs(selector.As, output),
                _ => [],
            }];
            _resolved.Add(selector, found);
        }

        return found;
    }

    private IEnumerable<KeyValuePair<string, ArtifactRef>> RunInputs(string name, InputSource.RunInput source)
    {
        var inputs = state.Start!.Inputs;
        return StarPattern.HasStar(source.Pattern)
            ? from input in inputs
              let matched = StarPattern.Match(source.Pattern, input.Key)
              where matched is not null
              select KeyValuePair.Create(Named(name, matched), input.Value)
            : inputs.TryGetValue(source.Pattern, out var artifact) ? [KeyValuePair.Create(name, artifact)] : [];
    }

    private IEnumerable<KeyValuePair<string, ArtifactRef>> StageOutputs(string name, InputSource.StageOutput source)
    {
        if (!state.Stages.TryGetValue(source.Stage, out var stage))
        {
            return [];
        }

        var units = StarPattern.HasStar(source.Unit)
            ? stage.FinishedUnits()
            : stage.Finished(source.Unit) is { } one ? [one] : [];
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
            : unit.Outputs.TryGetValue(pattern, out var artifact) ? [([], artifact)] : [];

    private static string Named(string name, IReadOnlyList<string> matched) =>
        matched.Count == 0 ? name : name + "/" + string.Join('/', matched);
}
