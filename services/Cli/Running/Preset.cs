using System.Text.Json.Nodes;
using ClipSae.Pipeline;

namespace ClipSae.Cli;

/// <summary>Named sets of parameters that suit a model; <c>--set</c> changes single ones.</summary>
internal static class Preset
{
    public const string Demo = "demo";

    private const string Folder = "Presets.";

    public static IReadOnlyList<string> Names { get; } =
    [
        .. typeof(Preset).Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Folder, StringComparison.Ordinal))
            .Select(name => name[Folder.Length..^".json".Length]).Order(StringComparer.Ordinal),
    ];

    /// <summary>Parameters in sections.</summary>
    /// <exception cref="WrongUseException">There is no such preset.</exception>
    public static JsonObject Load(string name)
    {
        using var stream = typeof(Preset).Assembly.GetManifestResourceStream($"{Folder}{name}.json")
            ?? throw new WrongUseException($"--preset {name}: {NearMatches.Describe(name, Names)}");
        return JsonNode.Parse(stream)!.AsObject();
    }
}
