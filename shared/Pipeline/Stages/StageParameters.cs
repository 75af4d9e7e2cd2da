using System.Text.Json;
using System.Text.Json.Nodes;

namespace ClipSae.Pipeline.Stages;

/// <summary>Binds the JSON parameters of a stage to its options record and back.</summary>
public static class StageParameters
{
    /// <summary>Binds parameters; absent ones keep the default of the record.</summary>
    /// <exception cref="UserErrorException">A key is unknown (near matches are named) or a value has the wrong type.</exception>
    public static T Bind<T>(JsonObject parameters, string stage)
    {
        var type = ContractJson.Options.GetTypeInfo(typeof(T));
        if (type.PolymorphismOptions is null)
        {
            RefuseUnknown(parameters, type.Properties.Select(property => property.Name), stage);
        }

        try
        {
            return parameters.Deserialize<T>(ContractJson.Options)!;
        }
        catch (JsonException error)
        {
            var key = error.Path is null or "$" ? "parameters" : error.Path[2..];
            var given = parameters.TryGetPropertyValue(key.Split('.', '[')[0], out var value)
                ? $" = {value?.ToJsonString() ?? "null"}"
                : "";
            throw new UserErrorException($"{stage}: parameter {key}{given} does not fit ({Reason(error)})", error);
        }
    }

    /// <summary>Binds parameters and writes them back with every default explicit.</summary>
    /// <param name="validate">Called with the bound options; throws <see cref="UserErrorException"/> for an impossible value.</param>
    public static JsonObject Normalize<T>(JsonObject parameters, string stage, Action<T>? validate = null)
    {
        var options = Bind<T>(parameters, stage);
        validate?.Invoke(options);
        return JsonSerializer.SerializeToNode(options, ContractJson.Options)!.AsObject();
    }

    /// <summary>
    /// Whether parameters could be those of a stage of which only the normalized defaults are known: every name is one of theirs, and no
    /// value is of another kind.
    /// </summary>
    /// <exception cref="UserErrorException">One is not; the message names it.</exception>
    public static void RequireLike(JsonObject parameters, JsonObject defaults, string stage)
    {
        RefuseUnknown(parameters, defaults.Select(member => member.Key), stage);
        foreach (var (key, value) in parameters)
        {
            // Some parameters are a number or a word.
            if (
                value is not null
                && defaults[key] is { } known
                && Kind(value) != Kind(known)
                && !(value is JsonValue && known is JsonValue)
            )
            {
                throw new UserErrorException(
                    $"{stage}: parameter {key} = {value.ToJsonString()} does not fit: "
                        + $"expected {Kind(known)}, such as {known.ToJsonString()}"
                );
            }
        }
    }

    private static string Kind(JsonNode value) =>
        value.GetValueKind() switch
        {
            JsonValueKind.Number => "a number",
            JsonValueKind.True or JsonValueKind.False => "true or false",
            JsonValueKind.String => "a text",
            JsonValueKind.Array => "a list",
            _ => "an object",
        };

    /// <summary>A copy of <paramref name="parameters"/> in which the members of <paramref name="overlay"/> replace or extend.</summary>
    public static JsonObject Overlay(JsonObject parameters, JsonObject overlay)
    {
        var merged = parameters.DeepClone().AsObject();
        foreach (var (name, value) in overlay)
        {
            merged[name] = value?.DeepClone();
        }

        return merged;
    }

    private static void RefuseUnknown(JsonObject parameters, IEnumerable<string> known, string stage)
    {
        RenamedParameters.RefuseFormer(stage, parameters);
        var names = known.ToArray();
        foreach (var (key, _) in parameters)
        {
            UserErrorException.ThrowIf(
                !names.Contains(key, StringComparer.Ordinal),
                $"{stage}: unknown parameter {key}; {NearMatches.Describe(key, names)}"
            );
        }
    }

    private static string Reason(JsonException error)
    {
        var end = error.Message.IndexOf(" Path:", StringComparison.Ordinal);
        return (end < 0 ? error.Message : error.Message[..end]).TrimEnd('.');
    }
}
