using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace ClipSae.Contracts;

/// <summary>How events, results and parameters are written as JSON, everywhere the same.</summary>
public static class ContractJson
{
    /// <summary>
    /// camelCase names, enums by name, unknown members refused, null only where the type allows it; events carry <c>type</c>.
    /// </summary>
    public static JsonSerializerOptions Options { get; } = Create();

    /// <summary>Every stored event by its wire name.</summary>
    public static IReadOnlyDictionary<string, Type> EventTypes { get; } = FindEventTypes();

    private static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web)
        {
            NumberHandling = JsonNumberHandling.Strict,
            PropertyNameCaseInsensitive = false,
            UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
            RespectNullableAnnotations = true,
            RespectRequiredConstructorParameters = true,
            AllowOutOfOrderMetadataProperties = true,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false));
        options.TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { NameEvents } };
        options.MakeReadOnly();
        return options;
    }

    private static void NameEvents(JsonTypeInfo type)
    {
        if (type.Type != typeof(RunEvent))
        {
            return;
        }

        type.PolymorphismOptions = new JsonPolymorphismOptions
        {
            TypeDiscriminatorPropertyName = "type",
            UnknownDerivedTypeHandling = JsonUnknownDerivedTypeHandling.FailSerialization,
        };
        foreach (var (name, derived) in EventTypes)
        {
            type.PolymorphismOptions.DerivedTypes.Add(new JsonDerivedType(derived, name));
        }
    }

    private static Dictionary<string, Type> FindEventTypes() =>
        typeof(RunEvent)
            .Assembly.GetTypes()
            .Select(type => (Type: type, Attribute: type.GetCustomAttribute<EventTypeAttribute>()))
            .Where(found => found.Attribute is not null)
            .ToDictionary(found => found.Attribute!.Name, found => found.Type, StringComparer.Ordinal);
}
