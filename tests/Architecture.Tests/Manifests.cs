using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ClipSae.Architecture.Tests;

/// <summary>YAML files of <c>infra</c> as JSON, anchors and merges resolved as far as the files use them.</summary>
internal static class Manifests
{
    /// <summary>Objects of <c>infra/kubernetes</c>, the kustomization apart.</summary>
    public static IReadOnlyList<JsonObject> Cluster { get; } =
        [.. Directory.GetFiles(Path.Combine(Solution.Root, "infra", "kubernetes"), "*.yaml").Where(file => Path.GetFileName(file) != "kustomization.yaml").SelectMany(Read)];

    /// <summary>Objects of one kind.</summary>
    public static IEnumerable<JsonObject> OfKind(params string[] kinds) => Cluster.Where(item => kinds.Contains(Text(item["kind"])));

    /// <summary>Every pod that the manifests make: the object's name and its pod's template.</summary>
    public static IEnumerable<(string Name, JsonObject Template)> Pods() => OfKind("Deployment", "ScaledJob").Select(item =>
        (Name(item), (item["spec"]!["template"] ?? item["spec"]!["jobTargetRef"]!["template"])!.AsObject()));

    public static string Name(JsonNode item) => Text(item["metadata"]!["name"]);

    public static string Text(JsonNode? node) => node?.GetValue<string>() ?? "";

    public static IEnumerable<JsonNode> Each(JsonNode? list) => list is JsonArray items ? items.Select(item => item!) : [];

    /// <summary>The documents of a file.</summary>
    public static IEnumerable<JsonObject> Read(string file)
    {
        var stream = new YamlStream();
        using var reader = new StreamReader(file);
        stream.Load(new MergingParser(new Parser(reader)));
        return [.. stream.Documents.Select(document => ToJson(document.RootNode)!.AsObject())];
    }

    private static JsonNode? ToJson(YamlNode node) => node switch
    {
        YamlMappingNode map => new JsonObject(map.Children.Select(child => KeyValuePair.Create(((YamlScalarNode)child.Key).Value!, ToJson(child.Value)))),
        YamlSequenceNode list => new JsonArray([.. list.Children.Select(ToJson)]),
        YamlScalarNode { Style: ScalarStyle.Plain } plain when int.TryParse(plain.Value, out var number) => number,
        YamlScalarNode { Style: ScalarStyle.Plain } plain when bool.TryParse(plain.Value, out var flag) => flag,
        YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "null" } => null,
        YamlScalarNode scalar => scalar.Value,
        _ => throw new NotSupportedException(node.ToString()),
    };
}
