using System.CommandLine;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Output;
using ClipSae.Cli.Running;
using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Tokenizers;
using ClipSae.Datasets.Sources;
using ClipSae.Hosting.Service;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;
using ClipSae.Reporting;
using ClipSae.Reporting.Data;
using ClipSae.Results;
using ClipSae.Results.Evaluation;
using ClipSae.ZeroShotEvaluation;
using ClipSae.ZeroShotEvaluation.Models;
using ClipSae.ZeroShotEvaluation.Sets;
using ClipSae.ZeroShotEvaluation.Settings;

namespace ClipSae.Cli.Verbs;

/// <summary>Scores models side by side on sets of images.</summary>
internal sealed class EvaluateVerb : Verb
{
    private const int MaxShownModels = 6;

    private readonly ValueOption<string[]> _models = new(
        "--model",
        "[NAME=]PATH",
        "Checkpoint to score; the first is the base that others are compared with; without NAME the file's name is taken; "
            + "a run's name stands for its tuned weights; this and --evaluation may name s3://BUCKET/PATH"
    )
    {
        Required = true,
    };

    private readonly ValueOption<string[]> _sets = new(
        "--evaluation",
        "NAME=PATH",
        "Set of images: a folder, or the table or list of annotations in it; "
            + "the protocol follows from the beginning of the name: clean, attacked, words or retrieval"
    )
    {
        Required = true,
    };

    private readonly ValueOption<string?> _tokenizer = new(
        "--tokenizer",
        "FILE",
        "Vocabulary of the models [default: next to the first checkpoint]"
    );
    private readonly ValueOption<string?> _templates = new(
        "--prompt-templates",
        "FILE",
        "Prompts, one a line, {} for the class; their embeddings are averaged"
    );
    private readonly ValueOption<string?> _classes = new("--classes", "FILE", "Classes to choose from, one a line [default: the labels]");
    private readonly ValueOption<string?> _classNames = new(
        "--class-names",
        "FILE",
        "Names for labels that are codes, one a line: n02119789 kit fox"
    );
    private readonly Option<bool> _probe = new("--probe")
    {
        Description = "Train a linear probe on half of each set, and test it on the other half",
    };
    private readonly ValueOption<string?> _csv = new(
        "--csv",
        "FOLDER",
        "Write figures, classes, answers and problems as CSV files to this folder"
    );
    private readonly ValueOption<string?> _report = new(
        "--report",
        "FILE.html",
        "Write a page with all figures and the images on which the models differ"
    );
    private readonly ValueOption<string[]> _set = new(
        "--set",
        "SECTION.KEY=VALUE",
        "Change a parameter, for example evaluation.resamples=2000"
    );

    public EvaluateVerb()
        : base(
            "evaluate",
            "Score models side by side: "
                + "zero-shot and typographic accuracy, MVT, retrieval, linear probes, calibration, all with 95 % intervals.",
            "clipsae evaluate --model base=base/model.safetensors --model tuned=tuned.safetensors "
                + "--evaluation clean=world/evaluation/clean --evaluation attacked=world/evaluation/attacked --report scores.html",
            "clipsae evaluate --model ViT-L-14.pt --tokenizer bpe_simple_vocab_16e6.txt.gz --evaluation attacked=SCAM "
                + "--evaluation mvt=mvt/human_responses.csv --json",
            "clipsae evaluate --model ViT-L-14.pt --evaluation retrieval=coco/captions.json --evaluation imagenet=imagenet/val "
                + "--prompt-templates openai-80.txt --probe --csv scores"
        )
    {
        Add(_models, _sets, _tokenizer, _templates, _classes, _classNames, _probe, _csv, _report, _set);
    }

    public override async Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel)
    {
        var models = new List<(string Name, string File)>();
        foreach (var model in arguments.GetValue(_models)!)
        {
            models.Add(await ModelAsync(model, session, cancel));
        }

        GivenNames.RequireDistinct("--model", models.Select(model => model.Name));
        var sets = await GivenSet.ParseAllAsync("--evaluation", arguments.GetValue(_sets), session, cancel);
        var tokenizer = GivenPath.File(
            "--tokenizer",
            await RemotePath.LocalAsync("--tokenizer", arguments.GetValue(_tokenizer), session, cancel)
        ) ?? ClipTokenizer.FileBeside(models[0].File, arguments.GetValue(_models)![0]);
        var report = GivenPath.NewFile("--report", arguments.GetValue(_report));
        var csv = GivenPath.NewFolder("--csv", arguments.GetValue(_csv));
        await using var runtime = Workplace.OpenHere(session);
        var inputs = new EvaluationInputs(runtime, session);
        var parameters = await inputs.ParametersAsync(Assignments(arguments, models.Count));
        TellDoubles(arguments, session);
        var options = StageParameters.Bind<EvaluationOptions>(parameters, ParameterSections.Evaluation);
        foreach (var model in models)
        {
            ModelFiles.Check(model.File, tokenizer, session);
        }

        using var evaluation = await ScoreAsync(runtime, session, inputs, options, models, sets, tokenizer, cancel);
        foreach (var (set, captions) in evaluation.Results.Models[0].Retrieval.Where(set => set.Value.CutCaptions > 0))
        {
            session.Tell($"{set}: {captions.CutCaptions} captions are longer than the model's context and were cut");
        }

        var written = csv is null ? [] : EvaluationCsv.Write(evaluation, csv);
        if (report is not null)
        {
            AtomicFile.Write(report, Encoding.UTF8.GetBytes(ReportPage.Render(Page(evaluation, parameters, inputs.All, session.Time))));
        }

        session.Answer(Json(evaluation.Results, written, report), console =>
        {
            EvaluationTable.Write(console, evaluation.Results);
            foreach (var file in written.Append(report).OfType<string>())
            {
                console.WriteUnfolded($"written to {file}");
            }
        });
        return ExitCode.Done;
    }

    private static async Task<Evaluation> ScoreAsync(
        EmbeddedRuntime runtime,
        Session session,
        EvaluationInputs inputs,
        EvaluationOptions options,
        IReadOnlyList<(string Name, string File)> models,
        IReadOnlyList<GivenSet> sets,
        string tokenizer,
        CancellationToken cancel
    )
    {
        var imported = new List<EvaluationSet>();
        // All models see the same pixels; the first says how they are made, as it does of their size.
        var import = new ImportOptions
        {
            MaxProblemShare = options.MaxProblemShare,
            MinClasses = 1,
            ConvertFirst = ImageOrder.ConvertsFirst(models[0].File),
        };
        if (models.FirstOrDefault(model => ImageOrder.ConvertsFirst(model.File) != import.ConvertFirst) is { Name: { } other })
        {
            session.Tell(
                $"pictures that are not RGB are prepared as for {models[0].Name}; {other} was published with the other order "
                    + "of resizing and conversion"
            );
        }

        foreach (var (_, file) in models)
        {
            await inputs.AddTrainingOfAsync(file, cancel);
        }

        foreach (var set in sets)
        {
            // Classes may be given, or shared with another set: only the evaluation knows whether one is enough.
            imported.Add(await inputs.SetAsync(set.Name, set, import, cancel));
        }

        var tested = new List<ModelUnderTest>();
        foreach (var (name, file) in models)
        {
            tested.Add(await inputs.ModelAsync(name, file, cancel));
        }

        var vocabulary = await inputs.TokenizerAsync(tokenizer, cancel);
        var cache = new TextEmbeddingCache(runtime.Artifacts, runtime.Results, "evaluate", session.Time);
        var progress = new PacedReporter<(long Done, long Total)>(session.Time, scored =>
            session.Tell($"{scored.Done} of {scored.Total} images scored")
        );
        var scratch = runtime.Scratch.NewFolder();
        try
        {
            return await new ZeroShotEvaluator(options, ClipTokenizer.Load(tokenizer), vocabulary, cache).EvaluateAsync(
                tested,
                imported,
                scratch,
                (done, total) => progress.Report((done, total)),
                cancel
            );
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    private IEnumerable<string> Assignments(ParseResult arguments, int models)
    {
        yield return FormattableString.Invariant($"evaluation.shownModels={Math.Clamp(models, 2, MaxShownModels)}");
        if (Lines("--prompt-templates", arguments.GetValue(_templates)) is { } templates)
        {
            yield return $"evaluation.promptTemplates={JsonSerializer.Serialize(templates, ContractJson.Options)}";
        }

        if (Lines("--classes", arguments.GetValue(_classes)) is { } classes)
        {
            yield return $"evaluation.classes={JsonSerializer.Serialize(classes, ContractJson.Options)}";
        }

        if (Lines("--class-names", arguments.GetValue(_classNames)) is { } names)
        {
            var named = names.Select(NamedLabel).DistinctBy(entry => entry.Key).ToDictionary();
            yield return $"evaluation.classNames={JsonSerializer.Serialize(named, ContractJson.Options)}";
        }

        if (arguments.GetValue(_probe))
        {
            yield return "evaluation.probe={}";
        }

        foreach (var assignment in arguments.GetValue(_set) ?? [])
        {
            yield return assignment;
        }
    }

    private static KeyValuePair<string, string> NamedLabel(string line) =>
        line.Split([' ', '\t', ','], 2, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) is [var label, var name]
            ? KeyValuePair.Create(label, name)
            : throw new WrongUseException($"--class-names: '{line}' is not a label followed by a name, such as 'n02119789 kit fox'");

    private void TellDoubles(ParseResult arguments, Session session)
    {
        string[] doubles =
        [
            .. (Lines("--classes", arguments.GetValue(_classes)) ?? [])
                .GroupBy(name => name, StringComparer.OrdinalIgnoreCase)
                .Where(group => group.Count() > 1)
                .Select(group => group.Key),
        ];
        if (doubles.Length > 0)
        {
            session.Tell(
                $"--classes names {string.Join(", ", doubles.Take(5))}{(doubles.Length > 5 ? ", …" : "")} more than once; "
                    + "each name is one class"
            );
        }
    }

    private static string[]? Lines(string option, string? path)
    {
        var file = GivenPath.File(option, path);
        string[]? lines = file is null ? null : [.. Utf8Text.Lines(file).Select(line => line.Trim()).Where(line => line.Length > 0)];
        return lines is { Length: 0 } ? throw new WrongUseException($"{option}: {file} has no line") : lines;
    }

    private static async Task<(string Name, string File)> ModelAsync(string given, Session session, CancellationToken cancel)
    {
        var equals = given.IndexOf('=', StringComparison.Ordinal);
        var isNamed = equals > 0 && !Path.Exists(given);
        var named = isNamed ? given[(equals + 1)..] : given;
        var path = await GivenModel.PathAsync("--model", named, session, cancel);
        return (isNamed ? given[..equals] : Path.GetFileNameWithoutExtension(Path.TrimEndingDirectorySeparator(path)), path);
    }

    private static JsonObject Json(EvaluationResults results, IReadOnlyList<string> csv, string? report)
    {
        var json = ResultFormats.Evaluation.ToJson(results);
        json.Remove("tuned");
        json.Remove("arms");
        json["csv"] = new JsonArray([.. csv.Select(file => JsonValue.Create(file))]);
        json["report"] = report;
        return json;
    }

    private static ReportData Page(
        Evaluation evaluation,
        JsonObject parameters,
        IReadOnlyDictionary<string, ArtifactRef> inputs,
        TimeProvider time
    ) =>
        new()
        {
            Run = string.Join(" and ", evaluation.Results.Models.Select(model => model.Name)),
            At = time.GetUtcNow(),
            Parameters = new JsonObject { ["evaluation"] = parameters.DeepClone() },
            Inputs = inputs,
            Results = evaluation.Results,
            Examples = evaluation.Examples,
            Versions = SoftwareVersions.Here(),
        };
}
