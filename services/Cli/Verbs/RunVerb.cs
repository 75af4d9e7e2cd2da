using System.CommandLine;
using System.Text.Json.Nodes;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Running;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Tokenizers;
using ClipSae.Datasets.Sources;
using ClipSae.FineTuning.Settings;
using ClipSae.Hosting.Service;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;

namespace ClipSae.Cli.Verbs;

/// <summary>Runs the whole pipeline on the user's own images and weights.</summary>
internal class RunVerb : Verb
{
    private readonly ValueOption<string> _dataset = new(
        "--dataset",
        "FOLDER",
        "Folder of captioned images; this and the paths below may be s3://BUCKET/FOLDER"
    )
    {
        Required = true,
    };
    private readonly ValueOption<string?> _captions = new(
        "--captions",
        "FILE",
        "Caption file (JSON, CSV, TSV) [default: found in the folder]"
    );
    private readonly ValueOption<string> _model = new(
        "--model",
        "PATH",
        "CLIP checkpoint: safetensors, PyTorch file, a folder of transformers or open_clip, or a run's name"
    )
    {
        Required = true,
    };
    private readonly ValueOption<string?> _tokenizer = new(
        "--tokenizer",
        "FILE",
        "Its vocabulary (bpe_simple_vocab_16e6.txt.gz) [default: next to the checkpoint]"
    );

    private readonly ValueOption<string[]> _evaluation = new(
        "--evaluation",
        "NAME=FOLDER",
        "Set to compare base and tuned on; without one they are not scored. A folder, or the annotation file in it; names: "
            + string.Join(", ", GivenSet.KnownNames)
    );

    private readonly ValueOption<string[]> _sae = new(
        "--sae",
        "HOOK=PATH",
        "Autoencoder that was trained elsewhere (SAELens, dictionary_learning, sae-for-vlm, overcomplete, ClipSae), "
            + "in place of one of the run's own; may be given several times. Without extraction.hookPoints the run has these alone"
    );

    private readonly ValueOption<string?> _preset = new("--preset", "NAME", Preset.Description);

    private readonly ValueOption<double?> _maxProblems = new(
        "--max-problems",
        "SHARE",
        "Share of rows that may be unusable [default: 0.05]"
    );

    private readonly RunOptions _run;
    private readonly bool _tunes;

    public RunVerb()
        : this(
            "run",
            "Run the whole pipeline on your own captioned images and weights.",
            tunes: true,
            "clipsae run --dataset photos --model ViT-L-14.safetensors --tokenizer bpe_simple_vocab_16e6.txt.gz",
            "clipsae run --dataset world/tuning --model base.safetensors --preset demo --evaluation clean=world/evaluation/clean "
                + "--evaluation attacked=world/evaluation/attacked",
            "clipsae run --dataset photos --model base.safetensors --arms none,penalise,penalise-random --seeds 3 --set sae.k=16 --json"
        ) { }

    /// <param name="name">The verb.</param>
    /// <param name="description">What it does.</param>
    /// <param name="tunes">Whether its run goes as far as fine-tuning and evaluation.</param>
    /// <param name="examples">Command lines.</param>
    protected RunVerb(string name, string description, bool tunes, params string[] examples)
        : base(name, description, examples)
    {
        _tunes = tunes;
        _run = new RunOptions(tunes);
        Add([
            _dataset,
            _captions,
            _model,
            _tokenizer,
            _sae,
            _preset,
            _maxProblems,
            .. tunes ? [_evaluation] : Array.Empty<Option>(),
            .. _run.All,
        ]);
    }

    public override async Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel)
    {
        Task<string?> LocalAsync(Option<string?> option) => RemotePath.LocalAsync(option.Name, arguments.GetValue(option), session, cancel);
        var dataset = GivenPath.Folder("--dataset", await LocalAsync(_dataset!))!;
        var captions = GivenPath.File("--captions", await LocalAsync(_captions));
        var model = await GivenModel.PathAsync("--model", arguments.GetValue(_model)!, session, cancel);
        var tokenizer = GivenPath.File("--tokenizer", await LocalAsync(_tokenizer))
            ?? ClipTokenizer.FileBeside(model, arguments.GetValue(_model));
        var evaluations = await GivenSet.ParseAllAsync("--evaluation", arguments.GetValue(_evaluation), session, cancel);
        if (_tunes && evaluations.Count == 0)
        {
            session.Tell("no --evaluation NAME=FOLDER: base and tuned will not be scored");
        }

        var options = new ImportOptions { CaptionFile = captions, ConvertFirst = ImageOrder.ConvertsFirst(model) };
        options = arguments.GetValue(_maxProblems) switch
        {
            null => options,
            >= 0 and <= 1 and var share => options with { MaxProblemShare = share },
            var other => throw new WrongUseException(
                FormattableString.Invariant($"--max-problems {other}: expected a share of the rows, 0 to 1")
            ),
        };
        var architecture = ModelFiles.Architecture(model);
        var preset = Preset.Load(arguments.GetValue(_preset), architecture, session);

        await using var runtime = Open(session);
        var autoencoders = await GivenAutoencoder.ParseAllAsync(arguments.GetValue(_sae), architecture, session, cancel);
        string[] hooks = [.. autoencoders.Select(given => given.Hook)];
        IEnumerable<string> atGiven =
            hooks.Length == 0 ? [] : [$"extraction.hookPoints=[{string.Join(',', hooks.Select(hook => $"\"{hook}\""))}]"];
        // Looking for captions that repeat print serves what learns from captions, and needs features of patches.
        var canCheck = _tunes && (hooks.Length == 0 || hooks.Any(hook => HookPoint.Parse(hook).HasTokens));
        IEnumerable<string> captionsUnchecked = canCheck ? [] : ["curation.captionHygiene=keep"];
        var parameters = await _run.ParametersAsync(
            arguments,
            preset,
            session,
            runtime,
            [.. atGiven, .. captionsUnchecked, .. Assignments(arguments)]
        );
        var inputs = new RunInputs(runtime, session);
        EarlyChecks.RequireFit(architecture, parameters, runtime.DefaultParameters(), hooks);
        foreach (var autoencoder in autoencoders)
        {
            await inputs.AddAutoencoderAsync(autoencoder, architecture, cancel);
        }

        await inputs.AddModelAsync(model, tokenizer, cancel);
        var imported = await inputs.AddDatasetAsync(dataset, options, cancel);
        if (!RunPlanner.ReadsTextsAlone(parameters, runtime.DefaultParameters()))
        {
            EarlyChecks.RequireClasses(imported.Content, parameters);
        }

        if (_tunes)
        {
            var tuning = ParameterSections.SectionOf(ParameterSections.Tuning);
            var training = StageParameters.Bind<FineTuningOptions>(new JsonObject(Known(parameters[tuning])), ParameterSections.Tuning);
            EarlyChecks.RequirePairs(
                imported.Variety,
                training.CleanBatch,
                $"{tuning}.cleanBatch",
                Math.Min(training.ValidationImages, (int)(training.ValidationShare * imported.Content.Labels.Values.Sum()))
            );
            if (imported.Variety.Doubt is { } doubt)
            {
                session.Tell($"--dataset: {doubt}; what is learned from them will be poor");
            }
        }

        TrainingRows.Require(
            imported.Content.Items.Count,
            architecture,
            parameters,
            runtime.DefaultParameters(),
            _run.Assignments(arguments),
            hooks,
            session
        );
        foreach (var set in evaluations)
        {
            await inputs.AddEvaluationAsync(set.Name, set, options, cancel);
        }

        return await ExecuteAsync(arguments, session, runtime, new RunSpec(inputs.All, parameters, _run.Seed(arguments)), cancel);
    }

    // Arms and seeds are the plan's, of which each unit has one.
    private static IEnumerable<KeyValuePair<string, JsonNode?>> Known(JsonNode? section) =>
        (section as JsonObject ?? [])
            .Where(entry => entry.Key is not ("arms" or "seeds"))
            .Select(entry => KeyValuePair.Create(entry.Key, entry.Value?.DeepClone()));

    /// <summary>Parameters that the verb sets before those of the command line, in the form of <c>--set</c>.</summary>
    protected virtual IEnumerable<string> Assignments(ParseResult arguments) => [];

    /// <summary>Where the run is to be carried out.</summary>
    protected virtual ClipSaeRuntime Open(Session session) => Workplace.Open(session);

    /// <summary>Does what the verb is for, once its inputs are in the store.</summary>
    protected virtual Task<int> ExecuteAsync(
        ParseResult arguments,
        Session session,
        ClipSaeRuntime runtime,
        RunSpec spec,
        CancellationToken cancel
    ) => new RunExecution(session, runtime).RunAsync(spec, cancel);
}
