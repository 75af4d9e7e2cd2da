using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using ClipSae.Pipeline.Stages;

namespace ClipSae.Hosting.Bus;

/// <summary>Reads messages as their types and says of one that does not fit which field is wrong, and what is expected there.</summary>
public static partial class MessageFields
{
    /// <summary>From outside: unknown and double fields are refused.</summary>
    public static JsonSerializerOptions FromOutside { get; } = new(ContractJson.Options) { AllowDuplicateProperties = false };

    /// <summary>From another process of ClipSae, perhaps of a newer version: fields that are unknown here are passed over.</summary>
    public static JsonSerializerOptions BetweenProcesses { get; } = CreateBetweenProcesses();

    /// <param name="what">What is read, for people: <c>dataset-ready</c>.</param>
    /// <exception cref="UserErrorException">It does not fit; the message names the field.</exception>
    public static object Read(JsonElement message, Type type, JsonSerializerOptions options, string what)
    {
        try
        {
            return message.Deserialize(type, options) ?? throw new JsonException("null");
        }
        catch (JsonException error)
        {
            // No inner exception: what the sender sees is the innermost message.
            throw new UserErrorException($"{what}: {Problem(error, message, type, options)}");
        }
    }

    /// <summary>The first line of what the reader says, without the place, which is named otherwise.</summary>
    public static string Line(JsonException error) => At().Replace(error.Message.Split('\n')[0], "").TrimEnd('\r', '.', ' ');

    private static string Problem(JsonException error, JsonElement message, Type type, JsonSerializerOptions options)
    {
        var path = error.Path is null or "$" ? "" : error.Path[2..];
        if (Missing().Match(error.Message) is { Success: true } missing)
        {
            var names = missing.Groups[1].Value.Replace("'", "", StringComparison.Ordinal).TrimEnd('.', ' ');
            return $"{(path.Length == 0 ? "" : path + ": ")}{names} "
                + $"{(names.Contains(',', StringComparison.Ordinal) ? "are" : "is")} missing";
        }

        if (Unknown().Match(error.Message) is { Success: true } unknown)
        {
            var name = unknown.Groups[1].Value;
            var known =
                path == name || path.Length == 0
                    ? "; " + NearMatches.Describe(name, options.GetTypeInfo(type).Properties.Select(property => property.Name))
                    : "";
            return $"{(path.Length == 0 ? name : path)} is not a field of this message{known}";
        }

        var place = path.Length == 0 ? "the message" : path;
        return error.Message.Contains("could not be converted", StringComparison.Ordinal) && TypeAt(type, path, options) is { } wanted
            ? $"{place} = {Short(At(message, path))}: expected {Expected(wanted)}"
            : $"{place}: {Line(error)}";
    }

    private static string Expected(JsonTypeInfo type) =>
        type switch
        {
            { Kind: JsonTypeInfoKind.Enumerable } => "a list",
            { Kind: JsonTypeInfoKind.Object or JsonTypeInfoKind.Dictionary } => "an object",
            _ => Type.GetTypeCode(Nullable.GetUnderlyingType(type.Type) ?? type.Type) switch
            {
                TypeCode.Int32 or TypeCode.Int64 => "a whole number",
                TypeCode.Double => "a number",
                TypeCode.Boolean => "true or false",
                TypeCode.String => "a text",
                _ when type.Type == typeof(DateTimeOffset) => "a time such as 2026-11-24T09:15:00Z",
                _ => "an object",
            },
        };

    /// <summary>What a path leads to in a type; null where the type does not say. The reader names the type around it instead.</summary>
    private static JsonTypeInfo? TypeAt(Type type, string path, JsonSerializerOptions options)
    {
        JsonTypeInfo? at = options.GetTypeInfo(type);
        foreach (var step in Steps().Matches(path).Select(match => match))
        {
            var next = at switch
            {
                { Kind: JsonTypeInfoKind.Object } => at.Properties.FirstOrDefault(property => property.Name == NameIn(step))?.PropertyType,
                { Kind: JsonTypeInfoKind.Dictionary or JsonTypeInfoKind.Enumerable } => at.ElementType,
                _ => null,
            };
            at = next is null ? null : options.GetTypeInfo(next);
        }

        return at;
    }

    private static string NameIn(Match step) => step.Groups[1].Success ? step.Groups[1].Value : step.Groups[2].Value;

    // Paths of the reader are a.b[0].c, with names that hold dots or spaces in quotes and brackets: inputs['two words'].length.
    private static JsonElement? At(JsonElement message, string path)
    {
        JsonElement? at = message;
        foreach (var step in Steps().Matches(path).Select(match => match))
        {
            at = at switch
            {
                { ValueKind: JsonValueKind.Object } there when there.TryGetProperty(NameIn(step), out var member) => member,
                { ValueKind: JsonValueKind.Array } there
                    when int.TryParse(step.Groups[3].ValueSpan, out var index) && index < there.GetArrayLength() => there[index],
                _ => null,
            };
        }

        return at;
    }

    private static string Short(JsonElement? value)
    {
        const int MaxLength = 60;
        var text = value?.GetRawText() ?? "null";
        return text.Length <= MaxLength ? text : text[..MaxLength] + "…";
    }

    private static JsonSerializerOptions CreateBetweenProcesses()
    {
        var options = new JsonSerializerOptions(ContractJson.Options)
        {
            UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip,
            PropertyNameCaseInsensitive = true,
        };

        // The bus writes enumerations as numbers.
        options.Converters.Clear();
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: true));
        return options;
    }

    [GeneratedRegex(@"missing required properties including: (.*)$", RegexOptions.CultureInvariant | RegexOptions.Multiline)]
    private static partial Regex Missing();

    [GeneratedRegex(@"The JSON property '(.*?)' could not be mapped", RegexOptions.CultureInvariant)]
    private static partial Regex Unknown();

    [GeneratedRegex(@" Path: .*$| LineNumber: .*$", RegexOptions.CultureInvariant)]
    private static partial Regex At();

    [GeneratedRegex(@"\['((?:[^'\\]|\\.)*)'\]|([^.\[\]']+)|\[(\d+)\]", RegexOptions.CultureInvariant)]
    private static partial Regex Steps();
}
