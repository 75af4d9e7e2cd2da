using System.Text.Json.Nodes;
using ClipSae.Cli.CommandLine;
using ClipSae.Clip.Architecture;
using ClipSae.Pipeline.Stages;

namespace ClipSae.Cli.Running;

/// <summary>Named sets of parameters that suit a model; <c>--set</c> changes single ones.</summary>
internal static class Preset
{
    public const string Demo = "demo";

    private const string Small = "small";
    private const string Large = "vit-l-14";

    // Between the small models that pretrain makes (128 to 384) and ViT-B's 768, the narrowest that was released.
    private const int MinLargeWidth = 512;

    private const string Folder = "Presets.";

    public static IReadOnlyList<string> Names { get; } =
    [
        .. typeof(Preset)
            .Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Folder, StringComparison.Ordinal))
            .Select(name => name[Folder.Length..^".json".Length])
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>What an option that names a preset says of itself.</summary>
    public static string Description { get; } = $"Parameters to start from: {string.Join(", ", Names)} [default: by the model's size]";

    /// <summary>
    /// The preset that suits a model: rates that move a small model destroy a large one, and those of a large one leave a small one as it
    /// was.
    /// </summary>
    public static string For(ClipArchitecture architecture) => architecture.VisionWidth < MinLargeWidth ? Small : Large;

    /// <summary>The named preset, or the one that suits the model, which is said.</summary>
    /// <exception cref="WrongUseException">There is no such preset.</exception>
    public static JsonObject Load(string? named, ClipArchitecture architecture, Session session)
    {
        if (named is not null)
        {
            return Load(named);
        }

        var chosen = For(architecture);
        session.Tell(
            $"preset {chosen}, chosen for a vision tower of {architecture.VisionLayers} blocks and "
                + $"width {architecture.VisionWidth}; --preset chooses another"
        );
        return WithinModel(Load(chosen), architecture);
    }

    /// <summary>Parameters in sections.</summary>
    /// <exception cref="WrongUseException">There is no such preset.</exception>
    public static JsonObject Load(string name)
    {
        using var stream = typeof(Preset).Assembly.GetManifestResourceStream($"{Folder}{name}.json")
            ?? throw new WrongUseException($"--preset {name}: {NearMatches.Describe(name, Names)}");
        return JsonNode.Parse(stream)!.AsObject();
    }

    /// <summary>Without the hook points that the model has no layer for.</summary>
    internal static JsonObject WithinModel(JsonObject preset, ClipArchitecture architecture)
    {
        if (preset["extraction"]?["hookPoints"] is JsonArray points)
        {
            points.RemoveAll(point => HookPoint.Parse(point!.GetValue<string>()).LayerIndex >= architecture.VisionLayers);
        }

        return preset;
    }
}
