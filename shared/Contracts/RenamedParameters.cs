using System.Text.Json.Nodes;

namespace ClipSae.Contracts;

/// <summary>
/// Parameters that had another name once. What is stored under the former name is read under the current one; whoever writes the former
/// name is given the current one.
/// </summary>
public static class RenamedParameters
{
    private static readonly Renaming[] Renamings =
    [
        new("extraction", "embedding-extraction", "batch", "batchSize"),
        new("extraction", "embedding-extraction", "store", "dtype"),
        new("sae", "sae-training", "prompt", "promptTemplate"),
        new("curation", "attack-curation", "leastFooled", "minFooled"),
        new("curation", "attack-curation", "leastExplained", "minExplained"),
        new("tuning", "fine-tuning", "rates", "learningRates"),
        new("tuning", "fine-tuning", "adapter.rate", "learningRate"),
        new("tuning", "fine-tuning", "schedule.warmupShare", "warmUpShare"),
        new("tuning", "fine-tuning", "schedule.warmupSteps", "warmUpSteps"),
        new("evaluation", "zero-shot-evaluation", "templates", "promptTemplates"),
        new("evaluation", "zero-shot-evaluation", "precision", "compute"),
        new("report", "report", "pictureSide", "imageSide"),
    ];

    private static readonly ILookup<string, Renaming> ByStage = Renamings.ToLookup(renaming => renaming.Stage, StringComparer.Ordinal);

    /// <summary>Section, former path in it and current name, for tests that hold them against the options.</summary>
    public static IEnumerable<(string Section, string Stage, string Former, string Current)> All =>
        Renamings.Select(renaming => (renaming.Section, renaming.Stage, renaming.Former, renaming.CurrentPath));

    /// <summary>The parameters of a stage under the names of today: the same object where none had another.</summary>
    public static JsonObject Current(string stage, JsonObject parameters) =>
        ByStage[stage].Aggregate(parameters, (renamed, renaming) => renaming.Apply(renamed));

    /// <summary>Parameters in sections under the names of today.</summary>
    public static JsonObject Current(JsonObject sections)
    {
        var renamed = sections;
        foreach (var stage in ByStage)
        {
            var section = stage.First().Section;
            if (
                sections[section] is JsonObject parameters
                && Current(stage.Key, parameters) is var current
                && !ReferenceEquals(current, parameters)
            )
            {
                renamed = ReferenceEquals(renamed, sections) ? sections.DeepClone().AsObject() : renamed;
                renamed[section] = current;
            }
        }

        return renamed;
    }

    /// <summary>A plan whose parameters are under the names of today.</summary>
    public static RunPlan Current(RunPlan plan) =>
        new([
            .. plan.Stages.Select(stage =>
                ByStage.Contains(stage.Stage)
                    ? stage with
                    {
                        Parameters = Current(stage.Stage, stage.Parameters),
                        Units = [.. stage.Units.Select(unit => unit with { Parameters = Current(stage.Stage, unit.Parameters) })],
                    }
                    : stage
            ),
        ]);

    /// <exception cref="UserErrorException">One has its former name.</exception>
    public static void RefuseFormer(string stage, JsonObject parameters) => Refuse(stage, renaming => renaming.IsIn(parameters));

    /// <param name="path">Path of one parameter below the section: <c>schedule.warmUpSteps</c>.</param>
    /// <exception cref="UserErrorException">It, or what it is in, has its former name.</exception>
    public static void RefuseFormer(string stage, string path) =>
        Refuse(stage, renaming => $"{path}.".StartsWith($"{renaming.Former}.", StringComparison.Ordinal));

    private static void Refuse(string stage, Func<Renaming, bool> isWritten)
    {
        if (ByStage[stage].FirstOrDefault(isWritten) is { } renaming)
        {
            throw renaming.Refusal;
        }
    }

    /// <param name="Former">Path below the section; what the parameter is in has its name of today.</param>
    /// <param name="Now">The name that takes the place of the path's last.</param>
    private sealed record Renaming(string Section, string Stage, string Former, string Now)
    {
        private readonly string[] _path = Former.Split('.');

        public string CurrentPath => string.Join('.', [.. _path[..^1], Now]);

        public UserErrorException Refusal => new($"{Section}.{Former} is called {Section}.{CurrentPath} now");

        // Objects that came over a bus may find their members whatever the case, and a former name may differ by that alone.
        public bool IsIn(JsonObject parameters) => Holder(parameters)?.Any(member => member.Key == Name) == true;

        public JsonObject Apply(JsonObject parameters)
        {
            if (!IsIn(parameters))
            {
                return parameters;
            }

            var renamed = parameters.DeepClone().AsObject();
            var holder = Holder(renamed)!;
            holder.Remove(Name, out var value);
            holder[Now] = value;
            return renamed;
        }

        private string Name => _path[^1];

        /// <summary>The object that the parameter is in; null if there is none.</summary>
        private JsonObject? Holder(JsonObject parameters) =>
            _path[..^1].Aggregate<string, JsonObject?>(parameters, (holder, step) => holder?[step] as JsonObject);
    }
}
