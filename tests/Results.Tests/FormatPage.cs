using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Xml.Linq;

namespace ClipSae.Results.Tests;

/// <summary>The page of formats, written from the records and their comments.</summary>
internal static class FormatPage
{
    private static readonly Dictionary<string, XElement> Comments = XDocument
        .Load(Path.ChangeExtension(typeof(IResultFormat).Assembly.Location, ".xml"))
        .Descendants("member")
        .ToDictionary(member => member.Attribute("name")!.Value, StringComparer.Ordinal);

    private static readonly NullabilityInfoContext Nullability = new();

    public static string Write()
    {
        var page = new StringBuilder(
            """
            # Formats of results

            What stages store and report, in addition to tensors, pictures and [checkpoints](formats.md). Written from the records of `shared/Results` and held to them by a test.

            Every format has a name and a version, which stand in the artifact's media type (`application/vnd.clipsae.NAME.vVERSION+json`) and not in the JSON. Artifacts of earlier runs have the type `application/json` and are read as version 1. Metrics are the member `figures` of the event `unit-finished` in a run's log. A reader refuses another version, an unknown member, and a member that is missing or of another type. A member that may be missing is left out when it has no value; one that may be null is written as null.


            """
        );
        var told = new List<Type>();
        foreach (var entry in typeof(ResultFormats).GetProperties().Where(property => property.GetValue(null) is IResultFormat))
        {
            var format = (IResultFormat)entry.GetValue(null)!;
            var summary = Text(Comments.GetValueOrDefault($"P:ClipSae.Results.ResultFormats.{entry.Name}")?.Element("summary"))
                is { Length: > 0 } text
                ? text
                : Summary(format.Type);
            page.Append($"## {format.Name}\n\n{summary} Type `{format.MediaType}`: {Name(format.Type)}.\n\n");
            Collect(format.Type, told);
        }

        foreach (var type in told.OrderBy(type => type.Name, StringComparer.Ordinal))
        {
            page.Append($"## {type.Name}\n\n{Summary(type)}\n\n| member | type | meaning |\n|---|---|---|\n");
            foreach (var property in Properties(type))
            {
                page.Append(
                    $"| `{property.Json}` | {Name(property.Property.PropertyType)}"
                        + $"{(property.MayBeMissing ? ", may be missing" : property.MayBeNull ? " or null" : "")} "
                        + $"| {Meaning(property.Property)} |\n"
                );
            }

            page.Append('\n');
        }

        return page.ToString().TrimEnd() + "\n";
    }

    private static void Collect(Type type, List<Type> told)
    {
        if (Element(type) is { } element)
        {
            Collect(element, told);
        }
        else if (type.Assembly == typeof(IResultFormat).Assembly && !type.IsEnum && !told.Contains(type))
        {
            told.Add(type);
            foreach (var property in Properties(type))
            {
                Collect(property.Property.PropertyType, told);
            }
        }
    }

    private static IEnumerable<(string Json, PropertyInfo Property, bool MayBeMissing, bool MayBeNull)> Properties(Type type) =>
        ContractJson
            .Options.GetTypeInfo(type)
            .Properties.Where(property => property.Get is not null)
            .Select(property =>
            {
                var member = (PropertyInfo)property.AttributeProvider!;
                return (
                    property.Name,
                    member,
                    member.GetCustomAttribute<JsonIgnoreAttribute>() is not null,
                    Nullability.Create(member).ReadState == NullabilityState.Nullable
                );
            });

    private static Type? Element(Type type) =>
        !type.IsGenericType ? null
        : type.GetGenericTypeDefinition() == typeof(Nullable<>) || type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>)
            ? type.GetGenericArguments()[0]
        : type.GetGenericArguments()[1];

    private static string Name(Type type) =>
        type switch
        {
            _ when type == typeof(string) => "text",
            _ when type == typeof(bool) => "true or false",
            _ when type == typeof(double) => "number",
            _ when type == typeof(int) || type == typeof(long) => "whole number",
            _ when type == typeof(byte[]) => "bytes in base64",
            { IsEnum: true } => string.Join(", ", Enum.GetNames(type).Select(name => $"`{JsonNamingPolicy.CamelCase.ConvertName(name)}`")),
            { IsGenericType: true } when type.GetGenericTypeDefinition() == typeof(Nullable<>) => Name(Element(type)!),
            { IsGenericType: true } when type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) => $"list of {Name(Element(type)!)}",
            { IsGenericType: true } => $"object, by name {Name(Element(type)!)}",
            _ => $"[{type.Name}](#{type.Name.ToLowerInvariant()})",
        };

    private static string Summary(Type type) => Text(Comments.GetValueOrDefault("T:" + type.FullName)?.Element("summary"));

    // A record's parameters are told at the record, other properties at themselves.
    private static string Meaning(PropertyInfo property)
    {
        var type = Comments.GetValueOrDefault("T:" + property.DeclaringType!.FullName);
        return Text(
            type?.Elements("param").FirstOrDefault(param => param.Attribute("name")!.Value == property.Name)
                ?? Comments.GetValueOrDefault($"P:{property.DeclaringType.FullName}.{property.Name}")?.Element("summary")
        );
    }

    private static string Text(XElement? comment) =>
        comment is null
            ? ""
            : string.Join(
                    ' ',
                    string.Concat(
                            comment
                                .Nodes()
                                .Select(node =>
                                    node switch
                                    {
                                        XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
                                        XElement { Name.LocalName: "see" } see => $"`{see.Attribute("cref")!.Value.Split('.')[^1]}`",
                                        XElement element => element.Value,
                                        _ => node.ToString(SaveOptions.DisableFormatting)
                                            .Replace("&gt;", ">", StringComparison.Ordinal)
                                            .Replace("&lt;", "<", StringComparison.Ordinal)
                                            .Replace("&amp;", "&", StringComparison.Ordinal),
                                    }
                                )
                        )
                        .Split([' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries)
                )
                .Replace("|", "\\|", StringComparison.Ordinal);
}
