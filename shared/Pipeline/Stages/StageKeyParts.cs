using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;

namespace ClipSae.Pipeline.Stages;

/// <summary>All that decides a unit's result. Units with equal parts share one result, whatever run they belong to.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="AlgorithmVersion"><see cref="IStage.AlgorithmVersion"/>.</param>
/// <param name="Parameters">Normalized parameters, and what the stage takes from the machine (<see cref="IStage.OfMachine"/>).</param>
/// <param name="Inputs">Digests by input name.</param>
public sealed record StageKeyParts(string Stage, int AlgorithmVersion, JsonObject Parameters, IReadOnlyDictionary<string, string> Inputs)
{
    /// <summary>The parts of a unit on this machine.</summary>
    public static StageKeyParts Of(IStage stage, JsonObject normalized, IReadOnlyDictionary<string, ArtifactRef> inputs) =>
        new(
            stage.Name,
            stage.AlgorithmVersion,
            StageParameters.Overlay(normalized, stage.OfMachine(normalized)),
            inputs.ToDictionary(input => input.Key, input => input.Value.Digest, StringComparer.Ordinal)
        );

    /// <summary>SHA-256 of the canonical JSON of the parts: 64 hexadecimal digits.</summary>
    public string Key() => Digest.Hex(Digest.OfText(CanonicalJson.Serialize(JsonSerializer.SerializeToNode(this, ContractJson.Options))));

    /// <summary>What differs from earlier parts, for people; null where nothing does.</summary>
    public string? DifferenceFrom(StageKeyParts earlier)
    {
        var differences = new List<string>();
        if (AlgorithmVersion != earlier.AlgorithmVersion)
        {
            differences.Add($"algorithm version {earlier.AlgorithmVersion} → {AlgorithmVersion}");
        }

        AddParameterDifferences(differences, "", earlier.Parameters, Parameters);
        AddInputDifferences(differences, earlier.Inputs);
        return differences.Count switch
        {
            0 => null,
            <= MaxNamed => string.Join("; ", differences),
            _ => string.Join("; ", differences.Take(MaxNamed)) + $"; and {differences.Count - MaxNamed} more",
        };
    }

    private const int MaxNamed = 4;
    private const int MaxValueLength = 60;

    private static void AddParameterDifferences(List<string> differences, string path, JsonObject before, JsonObject after)
    {
        foreach (var name in before.Select(member => member.Key).Union(after.Select(member => member.Key), StringComparer.Ordinal))
        {
            before.TryGetPropertyValue(name, out var old);
            after.TryGetPropertyValue(name, out var now);
            if (old is JsonObject oldMembers && now is JsonObject newMembers)
            {
                AddParameterDifferences(differences, path + name + ".", oldMembers, newMembers);
            }
            else if (CanonicalJson.Serialize(old) != CanonicalJson.Serialize(now))
            {
                differences.Add($"parameter {path}{name} {Shown(before, name)} → {Shown(after, name)}");
            }
        }
    }

    private void AddInputDifferences(List<string> differences, IReadOnlyDictionary<string, string> before)
    {
        var added = Inputs.Keys.Where(name => !before.ContainsKey(name)).Order(StringComparer.Ordinal).ToArray();
        var removed = before.Keys.Where(name => !Inputs.ContainsKey(name)).Order(StringComparer.Ordinal).ToArray();
        var changed = Inputs
            .Where(input => before.TryGetValue(input.Key, out var digest) && digest != input.Value)
            .Select(input => input.Key)
            .Order(StringComparer.Ordinal)
            .ToArray();
        AddNames(differences, changed, "changed");
        AddNames(differences, added, "added");
        AddNames(differences, removed, "gone");
    }

    private static void AddNames(List<string> differences, string[] names, string what)
    {
        if (names.Length > 0)
        {
            differences.Add(names.Length == 1 ? $"input {names[0]} {what}" : $"inputs {names[0]} and {names.Length - 1} more {what}");
        }
    }

    private static string Shown(JsonObject parameters, string name)
    {
        var text = parameters.TryGetPropertyValue(name, out var value) ? CanonicalJson.Serialize(value) : "absent";
        return text.Length <= MaxValueLength ? text : text[..MaxValueLength] + "…";
    }
}
