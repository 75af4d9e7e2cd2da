using System.Text.Json.Nodes;
using ClipSae.Pipeline.Runs;
using ClipSae.TestKit.Sources;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ClipSae.Deployment.Tests;

/// <summary>YAML files of <c>infra</c> as JSON, anchors and merges resolved as far as the files use them.</summary>
internal static class Manifests
{
    /// <summary>What kustomize is told.</summary>
    public static JsonObject Kustomization { get; } =
        Read(Path.Combine(Solution.Root, "infra", "kubernetes", "kustomization.yaml")).Single();

    /// <summary>Objects that it takes as they are.</summary>
    public static IReadOnlyList<JsonObject> Cluster { get; } =
    [.. Each(Kustomization["resources"]).SelectMany(file => Read(Path.Combine(Solution.Root, "infra", "kubernetes", Text(file))))];

    /// <summary>Settings of every pod.</summary>
    public static IReadOnlyDictionary<string, string> Settings { get; } =
        Each(Kustomization["configMapGenerator"]!.AsArray().Single()!["envs"])
            .SelectMany(file => File.ReadLines(Path.Combine(Solution.Root, "infra", "kubernetes", Text(file))))
            .Where(line => line.Length > 0 && !line.StartsWith('#'))
            .Select(line => line.Split('=', 2))
            .ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);

    /// <summary>Objects of one kind.</summary>
    public static IEnumerable<JsonObject> OfKind(params string[] kinds) => Cluster.Where(item => kinds.Contains(Text(item["kind"])));

    /// <summary>Every pod that the manifests make: the object's name and its pod's template.</summary>
    public static IEnumerable<(string Name, JsonObject Template)> Pods() =>
        OfKind("Deployment", "ScaledJob")
            .Select(item => (Name(item), (item["spec"]!["template"] ?? item["spec"]!["jobTargetRef"]!["template"])!.AsObject()));

    /// <summary>What must run somewhere: each service, the worker once for each stage.</summary>
    public static IReadOnlyList<string> Programs { get; } =
    [
        "/app/ClipSae.Service coordinator",
        "/app/ClipSae.Service web",
        .. ParameterSections.All.Select(pair => $"/app/ClipSae.Service {pair.Stage}"),
    ];

    /// <summary>The program that a command runs, with the service.</summary>
    public static string ProgramOf(JsonNode command) =>
        Text(command[0]) + (Text(command[0]) == "/app/ClipSae.Service" ? $" {Text(command[1])}" : "");

    public static string Name(JsonNode item) => Text(item["metadata"]!["name"]);

    public static string Text(JsonNode? node) => node?.GetValue<string>() ?? "";

    public static IEnumerable<JsonNode> Each(JsonNode? list) => list is JsonArray items ? items.Select(item => item!) : [];

    /// <summary>The documents of a file.</summary>
    public static IEnumerable<JsonObject> Read(string file)
    {
        var stream = new YamlStream();
        using var reader = new StreamReader(file);
        stream.Load(reader);
        return [.. stream.Documents.Select(document => ToJson(document.RootNode)!.AsObject())];
    }

    /// <summary>A mapping's members; what it has itself goes before what it merges in (<c>&lt;&lt;</c>).</summary>
    private static Dictionary<string, YamlNode> Members(YamlMappingNode map)
    {
        var members = map.Children.ToDictionary(child => ((YamlScalarNode)child.Key).Value!, child => child.Value, StringComparer.Ordinal);
        if (members.Remove("<<", out var merged))
        {
            foreach (var (key, value) in Members((YamlMappingNode)merged))
            {
                members.TryAdd(key, value);
            }
        }

        return members;
    }

    private static JsonNode? ToJson(YamlNode node) =>
        node switch
        {
            YamlMappingNode map => new JsonObject(Members(map).Select(member => KeyValuePair.Create(member.Key, ToJson(member.Value)))),
            YamlSequenceNode list => new JsonArray([.. list.Children.Select(ToJson)]),
            YamlScalarNode { Style: ScalarStyle.Plain } plain when int.TryParse(plain.Value, out var number) => number,
            YamlScalarNode { Style: ScalarStyle.Plain } plain when bool.TryParse(plain.Value, out var flag) => flag,
            YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "null" } => null,
            YamlScalarNode scalar => scalar.Value,
            _ => throw new NotSupportedException(node.ToString()),
        };
}
