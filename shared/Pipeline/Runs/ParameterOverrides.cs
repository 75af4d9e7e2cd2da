using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Pipeline.Stages;

namespace ClipSae.Pipeline.Runs;

/// <summary>Applies assignments as users write them, <c>sae.k=16</c>, to parameters in sections.</summary>
public static class ParameterOverrides
{
    /// <summary>A copy of the parameters with the assignments applied in order.</summary>
    /// <param name="parameters">Parameters in sections.</param>
    /// <param name="assignments">Each <c>section.key=value</c>. The value is JSON or plain text; for a list, items parted by commas
    /// do.</param>
    /// <param name="defaults">Normalized defaults by stage: they say which keys there are and whether a value is text or a list.</param>
    /// <exception cref="UserErrorException">An assignment has another form, or names an unknown section or key; near matches are
    /// named.</exception>
    public static JsonObject Apply(JsonObject parameters, IEnumerable<string> assignments, IReadOnlyDictionary<string, JsonObject> defaults)
    {
        var changed = parameters.DeepClone().AsObject();
        foreach (var assignment in assignments)
        {
            Apply(changed, assignment, defaults);
        }

        return changed;
    }

    private static void Apply(JsonObject parameters, string assignment, IReadOnlyDictionary<string, JsonObject> defaults)
    {
        var equals = assignment.IndexOf('=', StringComparison.Ordinal);
        var path = equals < 0 ? [] : assignment[..equals].Split('.', StringSplitOptions.TrimEntries);
        UserErrorException.ThrowIf(
            path.Length < 2 || path.Any(part => part.Length == 0),
            $"'{assignment}': expected section.key=value, for example sae.k=16"
        );

        var stage = StageOf(path[0], defaults);
        var section = ParameterSections.SectionOf(stage);
        RenamedParameters.RefuseFormer(stage, string.Join('.', path[1..]));
        var kind = KindOf(assignment, path, stage, defaults);
        var target = Nested(parameters, section);
        foreach (var step in path[1..^1])
        {
            target = Nested(target, step);
        }

        target[path[^1]] = Value(assignment[(equals + 1)..].Trim(), kind);
    }

    private static string StageOf(string name, IReadOnlyDictionary<string, JsonObject> defaults)
    {
        var stage = ParameterSections.StageOf(name);
        var known = ParameterSections
            .All.Select(pair => pair.Section)
            .Concat(defaults.Keys.Where(key => ParameterSections.SectionOf(key) == key))
            .Distinct(StringComparer.Ordinal)
            .ToArray();
        return known.Contains(ParameterSections.SectionOf(stage), StringComparer.Ordinal)
            ? stage
            : throw new UserErrorException($"unknown parameter section {name}; {NearMatches.Describe(name, known)}");
    }

    private static JsonValueKind KindOf(string assignment, string[] path, string stage, IReadOnlyDictionary<string, JsonObject> defaults)
    {
        if (RunPlanner.PlanningKeys.TryGetValue(stage, out var planning) && planning.Contains(path[1], StringComparer.Ordinal))
        {
            return assignment.Contains(',', StringComparison.Ordinal) ? JsonValueKind.Array : JsonValueKind.Undefined;
        }

        if (!defaults.TryGetValue(stage, out var known))
        {
            return JsonValueKind.Undefined;
        }

        JsonNode? value = known;
        foreach (var step in path[1..])
        {
            if (value is not JsonObject members)
            {
                return JsonValueKind.Undefined; // Below a value whose members the defaults do not show.
            }

            if (!members.TryGetPropertyValue(step, out value))
            {
                var keys = members
                    .Select(member => member.Key)
                    .Union(ReferenceEquals(members, known) ? planning ?? [] : [], StringComparer.Ordinal);
                throw new UserErrorException($"unknown parameter {step} in {assignment}; {NearMatches.Describe(step, keys)}");
            }
        }

        return value?.GetValueKind() ?? JsonValueKind.Undefined;
    }

    private static JsonNode? Value(string text, JsonValueKind kind) =>
        kind switch
        {
            JsonValueKind.String when Parsed(text) is not JsonValue quoted || !quoted.TryGetValue<string>(out _) => JsonValue.Create(text),
            JsonValueKind.Array when Parsed(text) is not JsonArray => Items(text),
            _ => Parsed(text),
        };

    private static JsonArray Items(string text) =>
        [
            .. text.TrimStart('[')
                .TrimEnd(']')
                .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Select(Parsed),
        ];

    private static JsonNode? Parsed(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }

    private static JsonObject Nested(JsonObject parent, string name)
    {
        if (parent[name] is JsonObject members)
        {
            return members;
        }

        var made = new JsonObject();
        parent[name] = made;
        return made;
    }
}
