using System.Text.Json.Nodes;
using ClipSae.Hosting.Service;
using ClipSae.Pipeline.Runs;

namespace ClipSae.Web.Runs;

/// <summary>Parameters of runs as a flat list of names and values.</summary>
internal static class RunParameters
{
    private const int MaxValueLength = 400;

    /// <summary>Members by their path, <c>sae.k</c>, values as JSON.</summary>
    public static IEnumerable<(string Name, string Value)> Flatten(JsonObject parameters, string path = "")
    {
        foreach (var (name, value) in parameters)
        {
            if (value is JsonObject { Count: > 0 } members)
            {
                foreach (var inner in Flatten(members, $"{path}{name}."))
                {
                    yield return inner;
                }
            }
            else
            {
                var text = CanonicalJson.Serialize(value);
                yield return (path + name, text.Length <= MaxValueLength ? text : text[..MaxValueLength] + "…");
            }
        }
    }

    /// <summary>
    /// What a run computed with: of each stage the parameters that were stored with the result of its first finished unit, defaults
    /// included, and where none is stored the given ones. What differs between the units of a stage, such as the arm, is left out.
    /// </summary>
    public static async Task<IReadOnlyDictionary<string, string>> UsedAsync(
        ClipSaeRuntime runtime,
        RunState state,
        CancellationToken cancel
    )
    {
        var used = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var stage in state.StagesInOrder())
        {
            var section = ParameterSections.SectionOf(stage.Plan.Stage);
            var first = stage.FinishedUnits().FirstOrDefault();
            var stored = first is null ? null : await runtime.Results.FindAsync(first.Key, cancel);
            var ofUnits = stage
                .Plan.Units.SelectMany(unit => unit.Parameters.Select(member => member.Key))
                .ToHashSet(StringComparer.Ordinal);
            foreach (
                var (name, value) in Flatten(stored?.Parts.Parameters ?? stage.Plan.Parameters)
                    .Where(parameter => !ofUnits.Contains(parameter.Name.Split('.')[0]))
            )
            {
                used[$"{section}.{name}"] = value;
            }

            if (stored is not null)
            {
                used[$"{section} (algorithm version)"] = stored.Parts.AlgorithmVersion.ToString(
                    System.Globalization.CultureInfo.InvariantCulture
                );
            }
        }

        return used;
    }
}
