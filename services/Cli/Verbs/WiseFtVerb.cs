using System.CommandLine;
using System.Text;
using System.Text.Json;
using ClipSae.Artifacts;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Output;
using ClipSae.Cli.Running;
using ClipSae.Cli.Sweeping;
using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Tokenizers;
using ClipSae.Datasets.Sources;
using ClipSae.WeightConversion;
using ClipSae.WeightConversion.Targets;
using ClipSae.WeightConversion.Weights;

namespace ClipSae.Cli.Verbs;

/// <summary>Sweeps the models between a base and a tuned one, chooses one on validation sets and exports it.</summary>
internal sealed class WiseFtVerb : Verb
{
    private const int DefaultSteps = 10;
    private const string ChartName = "frontier.svg";
    private const string SweepName = "sweep.json";

    private readonly Argument<string> _base = new("base") { Description = "The checkpoint before fine-tuning, in any format" };
    private readonly Argument<string> _tuned = new("tuned") { Description = "The fine-tuned checkpoint, in any format" };
    private readonly Argument<string> _target = new("out") { Description = "Folder to write to; created if missing" };

    private readonly ValueOption<string[]> _validation = new(
        "--validation",
        "NAME=FOLDER",
        "Labelled set on which α is chosen; one of them clean and one attacked"
    )
    {
        Required = true,
    };

    private readonly ValueOption<string[]> _evaluation = new(
        "--evaluation",
        "NAME=FOLDER",
        "Labelled set that is only scored: it never chooses"
    );
    private readonly ValueOption<double[]> _alphas = new(
        "--alpha",
        "SHARE",
        "Shares of the tuned model, in addition to 0 and 1 [default: 0.1, 0.2 … 0.9]"
    )
    {
        AllowMultipleArgumentsPerToken = true,
    };
    private readonly ValueOption<double> _tolerance = new(
        "--clean-tolerance",
        "SHARE",
        "Clean accuracy that may be lost",
        new AlphaRule().CleanTolerance
    );
    private readonly ValueOption<string[]> _formats = new(
        "--to",
        "FORMAT",
        "Formats to export the chosen model in [default: openai; of a SigLIP huggingface]"
    )
    {
        AllowMultipleArgumentsPerToken = true,
    };
    private readonly PrecisionOption _dtype = new("--dtype")
    {
        Description = "Precision of the exported weights: float32, float16, bfloat16 [default: float32]",
    };
    private readonly ValueOption<string?> _tokenizer = new("--tokenizer", "FILE", "Vocabulary of the models [default: next to the base]");
    private readonly Option<bool> _keep = new("--keep")
    {
        Description = "Keep every model of the sweep as a file; otherwise only one at a time is on disk",
    };
    private readonly ValueOption<string[]> _set = new(
        "--set",
        "SECTION.KEY=VALUE",
        "Change a parameter of the evaluation, for example evaluation.resamples=2000"
    );

    public WiseFtVerb()
        : base(
            "wise-ft",
            "Sweep the models between a base and a tuned one, plot clean against attacked accuracy, "
                + "choose one on validation sets and export it.",
            "clipsae wise-ft ViT-L-14.pt tuned.safetensors swept --validation clean=val/clean --validation attacked=val/attacked "
                + "--to huggingface openai-pt",
            "clipsae wise-ft base tuned.safetensors swept --validation clean=val/clean --validation attacked=val/attacked "
                + "--evaluation attacked=test/attacked --alpha 0.25 0.5 0.75 --clean-tolerance 0.005"
        )
    {
        Add(_base, _tuned, _target, _validation, _evaluation, _alphas, _tolerance, _formats, _dtype, _tokenizer, _keep, _set);
    }

    public override async Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel)
    {
        var (from, to) = (
            await SourceAsync("base", arguments.GetValue(_base)!, session, cancel),
            await SourceAsync("tuned", arguments.GetValue(_tuned)!, session, cancel)
        );
        var given = await SetsAsync(arguments, session, cancel);
        var alphas = Alphas(arguments.GetValue(_alphas) ?? []);
        var rule = arguments.GetValue(_tolerance) is >= 0 and <= 1 and var tolerance
            ? new AlphaRule(tolerance)
            : throw new WrongUseException("--clean-tolerance must be from 0 to 1: a share of the images");
        var export = Export(arguments, from);
        var tokenizer = ClipTokenizer.Load(
            GivenPath.File("--tokenizer", await RemotePath.LocalAsync("--tokenizer", arguments.GetValue(_tokenizer), session, cancel))
                ?? ClipTokenizer.FileBeside(from.Path, arguments.GetValue(_base))
        );

        await using var runtime = Workplace.OpenHere(session);
        var inputs = new EvaluationInputs(runtime, session);
        var options = await inputs.OptionsAsync(arguments.GetValue(_set) ?? []);
        var folder = GivenPath.NewFolder("out", arguments.GetValue(_target))!;
        await inputs.AddTrainingOfAsync(from.Path, cancel);
        await inputs.AddTrainingOfAsync(to.Path, cancel);
        var sets = await SetsAsync(inputs, given, new ImportOptions { ConvertFirst = ImageOrder.ConvertsFirst(from.Path) }, cancel);
        var progress = new PacedReporter<(long Done, long Total)>(session.Time, scored =>
            session.Tell($"{scored.Done} of {scored.Total} images scored ({alphas.Length} models)")
        );
        var sweep = await new AlphaSweep(from, to, alphas, runtime.Scratch).RunAsync(
            sets,
            options,
            tokenizer,
            rule,
            folder,
            arguments.GetValue(_keep),
            (done, total) => progress.Report((done, total)),
            cancel
        );
        var conversion = Write(sweep, from, to, folder, export, tokenizer, runtime.Scratch, cancel);

        var answer = AlphaSweepOutput.Json(sweep);
        (answer["folder"], answer["chart"]) = (folder, Path.Combine(folder, ChartName));
        answer["files"] = JsonSerializer.SerializeToNode(conversion.Files, ContractJson.Options);
        answer["proofs"] = JsonSerializer.SerializeToNode(conversion.Proofs, ContractJson.Options);
        session.Answer(answer, console =>
        {
            AlphaSweepOutput.Table(sweep).Write(console);
            console.WriteUnfolded(FormattableString.Invariant($"α = {sweep.Chosen.Alpha} is chosen: {rule}."));
            console.WriteUnfolded($"{string.Join(", ", conversion.Proofs.Keys)}, {ChartName} and {SweepName} are in {folder}");
        });
        return ExitCode.Done;
    }

    // The chosen model is mixed once more, rather than keep all of them: equal inputs give equal bytes.
    private static Conversion Write(
        AlphaSweepResult sweep,
        ConversionSource from,
        ConversionSource to,
        string folder,
        ConversionOptions export,
        ClipTokenizer tokenizer,
        ProcessScratch temporary,
        CancellationToken cancel
    )
    {
        var scratch = temporary.NewFolder();
        try
        {
            var file = Path.Combine(scratch, WeightInterpolation.FileName(sweep.Chosen.Alpha));
            WeightInterpolation.Write(from, to, sweep.Chosen.Alpha, file, cancel);
            var conversion = Conversion.Replace(
                new ConversionSource(file, FormattableString.Invariant($"{from.Name} and {to.Name}, alpha {sweep.Chosen.Alpha}")),
                folder,
                export,
                tokenizer,
                cancel
            );
            var metrics = AlphaSweepOutput.Json(sweep);
            metrics["base"] = JsonSerializer.SerializeToNode(from.FileDigests(), ContractJson.Options);
            metrics["tuned"] = JsonSerializer.SerializeToNode(to.FileDigests(), ContractJson.Options);
            AtomicFile.Write(
                Path.Combine(folder, SweepName),
                Encoding.UTF8.GetBytes(
                    metrics.ToJsonString(new JsonSerializerOptions(ContractJson.Options) { WriteIndented = true }) + "\n"
                )
            );
            AtomicFile.Write(Path.Combine(folder, ChartName), Encoding.UTF8.GetBytes(AlphaSweepOutput.Chart(sweep)));
            return conversion;
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    private static async Task<IReadOnlyList<SweepSet>> SetsAsync(
        EvaluationInputs inputs,
        IReadOnlyList<(GivenSet Set, bool Chooses)> given,
        ImportOptions import,
        CancellationToken cancel
    )
    {
        var sets = new List<SweepSet>();
        foreach (var (set, chooses) in given)
        {
            // The protocol is recognised by how the name begins, so both kinds keep it.
            sets.Add(
                new SweepSet(
                    set.Name,
                    chooses,
                    await inputs.SetAsync(set.Name + (chooses ? "-validation" : ""), set, import, cancel, chooses)
                )
            );
        }

        return sets;
    }

    private async Task<IReadOnlyList<(GivenSet Set, bool Chooses)>> SetsAsync(
        ParseResult arguments,
        Session session,
        CancellationToken cancel
    )
    {
        var validation = await GivenSet.ParseAllAsync("--validation", arguments.GetValue(_validation), session, cancel);
        var evaluation = await GivenSet.ParseAllAsync("--evaluation", arguments.GetValue(_evaluation), session, cancel);
        (GivenSet Set, bool Chooses)[] sets = [.. validation.Select(set => (set, true)), .. evaluation.Select(set => (set, false))];
        return
            sets.FirstOrDefault(set =>
                !set.Chooses && sets.Any(other => other.Chooses && other.Set.Folder == set.Set.Folder && other.Set.File == set.Set.File)
            )
                is { Set: { } both }
            ? throw new WrongUseException(
                $"{both.File ?? both.Folder} is both --validation and --evaluation: "
                    + "results on a set on which α was chosen are not test results; use other images for one of them"
            )
            : sets;
    }

    private static double[] Alphas(double[] given) =>
        given.Any(alpha => alpha is not (>= 0 and <= 1))
            ? throw new WrongUseException("--alpha must be from 0 (base) to 1 (tuned)")
            :
            [
                .. (given.Length > 0 ? given : Enumerable.Range(1, DefaultSteps - 1).Select(step => step / (double)DefaultSteps))
                    .Append(0)
                    .Append(1)
                    .Distinct()
                    .Order(),
            ];

    // Held against the model before anything is scored.
    private ConversionOptions Export(ParseResult arguments, ConversionSource from)
    {
        using var checkpoint = from.Open();
        var family = checkpoint.Architecture.Family;
        return WrongUseException.Checked(() =>
        {
            var options = new ConversionOptions
            {
                Formats = arguments.GetValue(_formats) is { Length: > 0 } formats
                    ? formats
                    : [ConversionTarget.PlainOf(family).Target.Name],
                Dtype = arguments.GetValue(_dtype),
            };
            options.Validate();
            ConversionTarget.Require(options.Targets, family, from.Name);
            return options;
        });
    }

    private static async Task<ConversionSource> SourceAsync(string argument, string given, Session session, CancellationToken cancel)
    {
        var path = await GivenModel.PathAsync(argument, given, session, cancel);
        return new ConversionSource(path, Path.GetFileName(path));
    }
}
