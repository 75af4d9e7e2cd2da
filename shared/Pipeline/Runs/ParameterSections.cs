using System.Text.Json.Nodes;
using ClipSae.Pipeline.Stages;

namespace ClipSae.Pipeline.Runs;

/// <summary>Names of the stages, and of the sections in which their parameters are given.</summary>
public static class ParameterSections
{
    public const string Extraction = "embedding-extraction";
    public const string Sae = "sae-training";
    public const string Curation = "attack-curation";
    public const string Tuning = "fine-tuning";
    public const string Conversion = "weight-conversion";
    public const string Evaluation = "zero-shot-evaluation";
    public const string Report = "report";

    /// <summary>Section and stage, in the pipeline's order.</summary>
    public static IReadOnlyList<(string Section, string Stage)> All { get; } =
    [
        ("extraction", Extraction),
        ("sae", Sae),
        ("curation", Curation),
        ("tuning", Tuning),
        ("conversion", Conversion),
        ("evaluation", Evaluation),
        ("report", Report),
    ];

    /// <summary>The section of a stage; a stage that has none is its own section.</summary>
    public static string SectionOf(string stage) => All.FirstOrDefault(pair => pair.Stage == stage).Section ?? stage;

    /// <summary>The stage of a section's or a stage's name; another name is taken for a stage.</summary>
    public static string StageOf(string section) => All.FirstOrDefault(pair => pair.Section == section).Stage ?? section;

    /// <exception cref="UserErrorException">A section is none, or holds no object.</exception>
    public static void RequireKnown(JsonObject parameters)
    {
        foreach (var (section, value) in parameters)
        {
            UserErrorException.ThrowIf(
                All.All(pair => pair.Section != section),
                $"unknown parameter section {section}; {NearMatches.Describe(section, All.Select(pair => pair.Section))}"
            );
            UserErrorException.ThrowIf(
                value is not JsonObject,
                $"parameter section {section} must be an object, for example {{\"{section}\": {{…}}}}"
            );
        }
    }
}
