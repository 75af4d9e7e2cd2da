using System.Globalization;
using System.Text.Json.Nodes;

namespace ClipSae.Pipeline.Runs;

/// <summary>Turns what a user asks for into the concrete plan of the pipeline: a pure function.</summary>
public static class RunPlanner
{
    /// <summary>Arms that are tuned where <c>tuning.arms</c> says nothing.</summary>
    public static IReadOnlyList<string> DefaultArms { get; } = ["none", "penalise", "penalise-random"];

    /// <summary>
    /// Keys of the section <c>sae</c> that may be lists: an autoencoder is then trained for every combination, and curation continues with
    /// the best by intervention.
    /// </summary>
    public static IReadOnlyList<string> SweptKeys { get; } = ["variant", "expansion", "latents", "k"];

    /// <summary>
    /// Keys of sections that shape the plan: how many units there are, and how many may fail. The stages themselves never see them, or,
    /// swept, one value of the list.
    /// </summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<string>> PlanningKeys { get; } =
        new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal)
        {
            [ParameterSections.Extraction] = [ToleratedFailuresKey],
            [ParameterSections.Sae] = SweptKeys,
            [ParameterSections.Tuning] = [ArmsKey, SeedsKey],
        };

    /// <summary>Key of the section <c>extraction</c>: the share of shards, 0 to 1, that may fail without failing the run.</summary>
    public const string ToleratedFailuresKey = "toleratedFailures";

    private const string ArmsKey = "arms";
    private const string SeedsKey = "seeds";
    private const string AdapterKey = "adapter";
    private const string HookPointsKey = "hookPoints";
    private const string SeedKey = "seed";
    private const string EmbeddingPoint = "image-embedding";
    private const string TextEmbeddingPoint = "text-embedding";
    private const string TextPoint = "text.";

    /// <summary>Begins the names of a run's inputs that are shards of its data set.</summary>
    public const string ShardPrefix = "dataset:shards/";

    /// <summary>Begins the names of a run's inputs that are autoencoders trained elsewhere; their hook point follows.</summary>
    public const string GivenAutoencoderPrefix = "sae:";

    private static readonly InputSelector Model = new(InputNames.Model, InputNames.ModelWeights);
    private static readonly InputSelector Tokenizer = new(InputNames.Tokenizer, InputNames.ModelTokenizer);
    private static readonly InputSelector Autoencoders = Output(OutputNames.Autoencoder, ParameterSections.Sae);
    private static readonly InputSelector Shards = new(InputNames.Shards, ShardPrefix + "*");

    /// <summary>The plan of the whole pipeline.</summary>
    /// <param name="spec">What is asked for; its inputs say how many shards there are.</param>
    /// <param name="defaults">Normalized default parameters by stage, where known: they say which hook points are extracted and which
    /// stages draw from a seed.</param>
    /// <exception cref="UserErrorException">A section is unknown, a list that the plan needs is none, or all hook points are in the text
    /// tower.</exception>
    public static RunPlan Plan(RunSpec spec, IReadOnlyDictionary<string, JsonObject> defaults)
    {
        RequireImages(spec.Parameters, defaults);
        return Whole(spec, defaults);
    }

    /// <summary>
    /// The plan that compares autoencoders: up to curation, or up to training where all hook points are in the text tower, which curation
    /// does not look at.
    /// </summary>
    /// <exception cref="UserErrorException">A section is unknown, or a list that the plan needs is none.</exception>
    public static RunPlan Sweep(RunSpec spec, IReadOnlyDictionary<string, JsonObject> defaults) =>
        ShortenedPlan.Until(
            Whole(spec, defaults),
            ReadsTextsAlone(spec.Parameters, defaults) ? ParameterSections.Sae : ParameterSections.Curation
        );

    /// <summary>Whether a hook point, by its name, is in the text tower, where it reads captions.</summary>
    public static bool IsOfTexts(string hook) => hook == TextEmbeddingPoint || hook.StartsWith(TextPoint, StringComparison.Ordinal);

    /// <summary>Whether all hook points are in the text tower.</summary>
    public static bool ReadsTextsAlone(JsonObject parameters, IReadOnlyDictionary<string, JsonObject> defaults) =>
        HookPoints(parameters, defaults).All(IsOfTexts);

    /// <summary>Whether curation has a hook point to find text-salient features at.</summary>
    /// <exception cref="UserErrorException">All are in the text tower.</exception>
    public static void RequireImages(JsonObject parameters, IReadOnlyDictionary<string, JsonObject> defaults)
    {
        if (ReadsTextsAlone(parameters, defaults))
        {
            var hooks = HookPoints(parameters, defaults);
            throw new UserErrorException(
                $"extraction.{HookPointsKey}: {string.Join(", ", hooks)} {(hooks.Count == 1 ? "is" : "are")} in the text tower, "
                    + "but text-salient features are found in pictures: name a point of the vision tower too, such as mlp@0; "
                    + "'clipsae sweep' trains autoencoders of captions alone"
            );
        }
    }

    /// <summary>All that a spec asks for, whether or not curation has a hook point to look at (<see cref="RequireImages"/>).</summary>
    /// <exception cref="UserErrorException">A section is unknown, or a list that the plan needs is none.</exception>
    public static RunPlan Whole(RunSpec spec, IReadOnlyDictionary<string, JsonObject> defaults)
    {
        ParameterSections.RequireKnown(spec.Parameters);
        JsonObject Parameters(string stage) => StageParametersOf(spec, stage, defaults);
        var shards = spec
            .Inputs.Keys.Where(name => name.StartsWith(ShardPrefix, StringComparison.Ordinal))
            .Select(name => name[ShardPrefix.Length..])
            .Order(StringComparer.Ordinal)
            .ToArray();
        UserErrorException.ThrowIf(shards.Length == 0, "the run has no data set: it needs inputs dataset:shards/00000 and so on");

        var hookPoints = HookPoints(spec.Parameters, defaults);
        if (
            spec.Inputs.Keys.FirstOrDefault(name =>
                IsGiven(name) && !hookPoints.Contains(name[GivenAutoencoderPrefix.Length..], StringComparer.Ordinal)
            ) is
            { } unread
        )
        {
            throw new UserErrorException(
                $"the run's input {unread} is an autoencoder of a hook point that extraction.{HookPointsKey} does not name"
            );
        }

        var tuned = TuningUnits(spec).ToArray();
        return new RunPlan([
            new StagePlan(
                ParameterSections.Extraction,
                WithEmbeddings(Parameters(ParameterSections.Extraction), hookPoints),
                [.. shards.Select(shard => new UnitPlan(shard, [], [new InputSelector(InputNames.Shard, ShardPrefix + shard)]))],
                hookPoints.Any(IsOfTexts) ? [Model, Tokenizer] : [Model],
                ToleratedFailures(Section(spec, ParameterSections.Extraction))
            ),
            new StagePlan(
                ParameterSections.Sae,
                Parameters(ParameterSections.Sae),
                [.. hookPoints.SelectMany(hook => AutoencoderUnits(spec, hook))],
                [
                    Output(OutputNames.Ids, ParameterSections.Extraction),
                    .. hookPoints.All(IsOfTexts)
                        ? Array.Empty<InputSelector>()
                        : [new InputSelector(InputNames.Embeddings, $"{ParameterSections.Extraction}/*:{EmbeddingPoint}")],
                    Shards,
                    Model,
                    Tokenizer,
                ]
            ),
            new StagePlan(
                ParameterSections.Curation,
                Parameters(ParameterSections.Curation),
                Whole(Autoencoders),
                [
                    Model,
                    Tokenizer,
                    Shards,
                    new InputSelector(InputNames.AutoencoderStatistics, $"{ParameterSections.Sae}/*:{OutputNames.Statistics}"),
                ]
            ),
            new StagePlan(
                ParameterSections.Tuning,
                Parameters(ParameterSections.Tuning),
                tuned,
                [
                    Model,
                    Tokenizer,
                    Shards,
                    Autoencoders,
                    Output(OutputNames.Attacks, ParameterSections.Curation, "all"),
                    Output(OutputNames.Controls, ParameterSections.Curation, "all"),
                    Output(OutputNames.Families, ParameterSections.Curation, "all"),
                    Output(OutputNames.Salient, ParameterSections.Curation, "all"),
                ]
            ),
            new StagePlan(
                ParameterSections.Conversion,
                Parameters(ParameterSections.Conversion),
                [
                    .. tuned.Select(unit => new UnitPlan(
                        unit.Name,
                        [],
                        [
                            Output(OutputNames.Model, ParameterSections.Tuning, unit.Name),
                            Output(OutputNames.Curves, ParameterSections.Tuning, unit.Name),
                        ]
                    )),
                ],
                Section(spec, ParameterSections.Tuning)?[AdapterKey] is JsonObject
                    ? [Tokenizer, new InputSelector(InputNames.Base, InputNames.ModelWeights)]
                    : [Tokenizer]
            ),
            new StagePlan(
                ParameterSections.Evaluation,
                Parameters(ParameterSections.Evaluation),
                Whole(
                    new InputSelector(InputNames.Base, InputNames.ModelWeights),
                    new InputSelector(InputNames.Models, $"{ParameterSections.Conversion}/*:{OutputNames.Model}"),
                    new InputSelector(InputNames.NullTokens, $"{ParameterSections.Conversion}/*:files/null_token.safetensors"),
                    Output(OutputNames.Curves, ParameterSections.Tuning),
                    new InputSelector(InputNames.Evaluation, $"{InputNames.Evaluation}:*")
                ),
                [Tokenizer]
            ),
            new StagePlan(
                ParameterSections.Report,
                Parameters(ParameterSections.Report),
                Whole([
                    .. new[]
                    {
                        ParameterSections.Sae,
                        ParameterSections.Curation,
                        ParameterSections.Tuning,
                        ParameterSections.Conversion,
                        ParameterSections.Evaluation,
                    }.Select(stage => new InputSelector(stage, $"{stage}/*:*")),
                ]),
                [
                    Model,
                    Tokenizer,
                    new InputSelector(InputNames.Dataset, $"{InputNames.Dataset}:*"),
                    new InputSelector(InputNames.Evaluation, $"{InputNames.Evaluation}:*"),
                ]
            ),
        ]);
    }

    private static InputSelector Output(string name, string stage, string unit = "*") => new(name, $"{stage}/{unit}:{name}");

    private static IReadOnlyList<string> HookPoints(JsonObject parameters, IReadOnlyDictionary<string, JsonObject> defaults) =>
        Strings(parameters[ParameterSections.SectionOf(ParameterSections.Extraction)] as JsonObject, HookPointsKey)
        ?? Strings(defaults.GetValueOrDefault(ParameterSections.Extraction), HookPointsKey)
        ?? [EmbeddingPoint];

    /// <summary>
    /// The final embeddings of a tower that is computed are extracted too, since the forward pass gives them for nothing: how alike images,
    /// or captions, are says how monosemantic a feature is. An autoencoder is trained on them only where they are asked for.
    /// </summary>
    private static JsonObject WithEmbeddings(JsonObject parameters, IReadOnlyList<string> hookPoints)
    {
        var embeddings = hookPoints.Select(point => IsOfTexts(point) ? TextEmbeddingPoint : EmbeddingPoint).Order(StringComparer.Ordinal);
        parameters[HookPointsKey] = new JsonArray([
            .. hookPoints.Concat(embeddings).Distinct(StringComparer.Ordinal).Select(point => (JsonNode)point),
        ]);
        return parameters;
    }

    /// <summary>One for each combination of swept keys; of an autoencoder that is given there is nothing to sweep.</summary>
    private static IEnumerable<UnitPlan> AutoencoderUnits(RunSpec spec, string hook)
    {
        var activations = new InputSelector(InputNames.Activations, $"{ParameterSections.Extraction}/*:{hook}");
        InputSelector[] inputs = IsOfTexts(hook)
            ? [activations, new InputSelector(InputNames.TextEmbeddings, $"{ParameterSections.Extraction}/*:{TextEmbeddingPoint}")]
            : [activations];
        var given = GivenAutoencoderPrefix + hook;
        return spec.Inputs.ContainsKey(given)
            ? [new UnitPlan(hook, [], [.. inputs, new InputSelector(InputNames.GivenAutoencoder, given)])]
            : from swept in Combinations(Section(spec, ParameterSections.Sae))
            select new UnitPlan(hook + swept.Suffix, swept.Parameters.DeepClone().AsObject(), inputs);
    }

    private static bool IsGiven(string name) => name.StartsWith(GivenAutoencoderPrefix, StringComparison.Ordinal);

    /// <summary>
    /// The values of swept keys, one set an autoencoder of each hook point, and what they add to its name: <c>,variant=topk,k=16</c>; one
    /// empty set where no key is a list.
    /// </summary>
    public static IReadOnlyList<(string Suffix, JsonObject Parameters)> Combinations(JsonObject? section)
    {
        IEnumerable<(string Suffix, JsonObject Parameters)> sets = [("", [])];
        foreach (var (key, values) in SweptKeys.Select(key => (key, section?[key] as JsonArray)).Where(swept => swept.Item2 is not null))
        {
            UserErrorException.ThrowIf(
                values!.Count == 0 || values.Any(value => value is not JsonValue),
                $"sae.{key} = {values.ToJsonString()}: expected a value, or a list of values to sweep"
            );
            UserErrorException.ThrowIf(
                values.Select(value => value!.ToJsonString()).Distinct(StringComparer.Ordinal).Count() < values.Count,
                $"sae.{key} = {values.ToJsonString()}: a value is named twice"
            );

            sets = [.. from set in sets from value in values select ($"{set.Suffix},{key}={value}", With(set.Parameters, key, value))];
        }

        return [.. sets];
    }

    private static JsonObject With(JsonObject parameters, string key, JsonNode? value)
    {
        var more = parameters.DeepClone().AsObject();
        more[key] = value?.DeepClone();
        return more;
    }

    private static IReadOnlyList<UnitPlan> Whole(params InputSelector[] inputs) => [new UnitPlan("all", [], inputs)];

    private static IEnumerable<UnitPlan> TuningUnits(RunSpec spec)
    {
        var section = Section(spec, ParameterSections.Tuning);
        var arms = Strings(section, ArmsKey) ?? DefaultArms;
        var seeds = Seeds(section);
        return from arm in arms
            from seed in seeds
            select new UnitPlan(
                FormattableString.Invariant($"{arm}.s{seed}"),
                new JsonObject { ["arm"] = arm, [SeedKey] = spec.Seed + seed },
                []
            );
    }

    private static double ToleratedFailures(JsonObject? section) =>
        section?[ToleratedFailuresKey] switch
        {
            null => 0,
            JsonValue value when value.TryGetValue<double>(out var share) && share is >= 0 and <= 1 => share,
            var other => throw new UserErrorException(
                $"extraction.{ToleratedFailuresKey} = {other.ToJsonString()}: expected the share of shards that may fail, 0 to 1"
            ),
        };

    private static int[] Seeds(JsonObject? section)
    {
        var given = section?[SeedsKey];
        try
        {
            return given switch
            {
                null => [0],
                JsonArray list => [.. list.Select(seed => seed!.GetValue<int>())],
                _ => [.. Enumerable.Range(0, given.GetValue<int>())],
            };
        }
        catch (Exception error)
            when (error is InvalidOperationException or FormatException or NullReferenceException or ArgumentOutOfRangeException)
        {
            throw new UserErrorException($"tuning.seeds = {given!.ToJsonString()}: expected how many, or a list of whole numbers", error);
        }
    }

    private static JsonObject StageParametersOf(RunSpec spec, string stage, IReadOnlyDictionary<string, JsonObject> defaults)
    {
        var parameters = Section(spec, stage)?.DeepClone().AsObject() ?? [];
        RemovePlanningKeys(parameters, stage);
        if (!parameters.ContainsKey(SeedKey) && defaults.TryGetValue(stage, out var known) && known.ContainsKey(SeedKey))
        {
            parameters[SeedKey] = spec.Seed;
        }

        return parameters;
    }

    /// <summary>Takes out of a stage's parameters what only the plan needs: planning keys, of swept ones those that are lists.</summary>
    public static void RemovePlanningKeys(JsonObject parameters, string stage)
    {
        foreach (var key in PlanningKeys.GetValueOrDefault(stage) ?? [])
        {
            if (!SweptKeys.Contains(key) || parameters[key] is JsonArray)
            {
                parameters.Remove(key);
            }
        }
    }

    private static JsonObject? Section(RunSpec spec, string stage) => spec.Parameters[ParameterSections.SectionOf(stage)] as JsonObject;

    private static IReadOnlyList<string>? Strings(JsonObject? parameters, string key) =>
        parameters?[key] switch
        {
            null => null,
            JsonArray { Count: > 0 } list when list.All(item => item is JsonValue value && value.TryGetValue<string>(out _)) =>
            [
                .. list.Select(item => item!.GetValue<string>()),
            ],
            JsonValue single when single.TryGetValue<string>(out var one) => [one],
            var other => throw new UserErrorException(
                string.Create(CultureInfo.InvariantCulture, $"{key} = {other.ToJsonString()}: expected a list of names")
            ),
        };
}
