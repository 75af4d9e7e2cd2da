using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using ClipSae.Artifacts;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Output;
using ClipSae.Cli.Running;
using ClipSae.Clip.Generators;
using ClipSae.Clip.Tokenizers;
using ClipSae.WeightConversion.Transplanting;
using ClipSae.WeightConversion.Weights;
using Spectre.Console;

namespace ClipSae.Cli.Verbs;

/// <summary>Puts a model's text tower into an image generator.</summary>
internal sealed class TransplantVerb : Verb
{
    private readonly Argument<string> _model = new("model") { Description = "CLIP checkpoint in any format, or a run's name" };
    private readonly Argument<string> _generator = new("generator")
    {
        Description =
            "Image generator: a single file of safetensors (SD 1.5, 2, SDXL, SD 3, Flux), a text encoder's own file, or a diffusers folder",
    };
    private readonly Argument<string> _target = new("out") { Description = "File, or for a folder the folder, to write" };
    private readonly ValueOption<string?> _encoder = new(
        "--encoder",
        "NAME",
        "Which text encoder to replace [default: the only one that fits]"
    );
    private readonly ValueOption<string?> _prompts = new(
        "--prompts",
        "FILE",
        "Prompts to compare hidden states on, one a line [default: 24 of its own]"
    );
    private readonly ValueOption<string?> _tokenizer = new(
        "--tokenizer",
        "FILE",
        "Vocabulary of the model [default: next to the checkpoint]"
    );
    private readonly ValueOption<string?> _vision = new(
        "--vision",
        "PATH",
        "Checkpoint with the vision tower, if MODEL is only a text encoder"
    );

    public TransplantVerb()
        : base(
            "transplant",
            "Put a model's text tower into an image generator, and measure what changes for it.",
            "clipsae transplant latest sd_xl_base_1.0.safetensors sdxl-tuned.safetensors",
            "clipsae transplant tuned.safetensors stable-diffusion-v1-5 sd15-tuned --prompts my-prompts.txt"
        )
    {
        Add(_model, _generator, _target, _encoder, _prompts, _tokenizer, _vision);
    }

    public override async Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel)
    {
        var model = await GivenModel.PathAsync("model", arguments.GetValue(_model)!, session, cancel);
        var vision = arguments.GetValue(_vision) is { } given ? await GivenModel.PathAsync("--vision", given, session, cancel) : null;
        var generator = GivenPath.FileOrFolder("generator", arguments.GetValue(_generator)!);
        var prompts = GivenPath.File("--prompts", arguments.GetValue(_prompts)) is { } list
            ? GeneratorPrompts.Read(list)
            : GeneratorPrompts.Default;
        var vocabulary = GivenPath.File("--tokenizer", arguments.GetValue(_tokenizer)) ?? ClipTokenizer.FileBeside(model);
        var target = Target(arguments.GetValue(_target)!, generator);
        session.UseDevice();
        var result = Transplant.Run(
            new ConversionSource(model, Path.GetFileName(model), vision),
            generator,
            arguments.GetValue(_encoder),
            target,
            prompts,
            ClipTokenizer.Load(vocabulary),
            cancel
        );

        var name = Path.GetFileName(target);
        var record = Directory.Exists(target) ? Path.Combine(target, "transplant") : Path.ChangeExtension(target, null) + ".transplant";
        AtomicFile.Write(record + ".json", JsonSerializer.SerializeToUtf8Bytes(result, ContractJson.Options));
        AtomicFile.Write(record + ".html", Encoding.UTF8.GetBytes(TransplantPage.Render(name, result)));
        session.Answer(
            JsonSerializer
                .SerializeToNode(
                    new
                    {
                        file = target,
                        report = record + ".html",
                        result,
                    },
                    ContractJson.Options
                )!
                .AsObject(),
            console => Write(console, target, record + ".html", result)
        );
        return ExitCode.Done;
    }

    private static string Target(string given, string generator)
    {
        var target = Path.GetFullPath(given);
        WrongUseException.ThrowIf(
            Path.TrimEndingDirectorySeparator(target) == Path.TrimEndingDirectorySeparator(generator),
            $"out: {given} is the generator itself; name another place"
        );

        if (File.Exists(generator))
        {
            return GivenPath.NewFile("out", given)!;
        }

        WrongUseException.ThrowIf(Path.Exists(target), $"out: {given} already exists; name a folder that does not");
        WrongUseException.ThrowIf(
            target.StartsWith(Path.TrimEndingDirectorySeparator(generator) + Path.DirectorySeparatorChar, StringComparison.Ordinal),
            $"out: {given} is inside the generator's folder; name a folder elsewhere"
        );

        GivenPath.NewFolder("out", Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(target)));
        return Path.TrimEndingDirectorySeparator(target);
    }

    private static void Write(IAnsiConsole console, string target, string report, TransplantResult result)
    {
        var table = new NumberTable("hidden state", "tokens", "cosine,\nmean", "cosine,\nlowest", "norm,\nnew / old");
        foreach (var change in result.HiddenStates)
        {
            table.Add(
                change.State,
                [HiddenStateChange.NameOf(change.Tokens), Metric(change.MeanCosine), Metric(change.MinCosine), Metric(change.MeanNormRatio)]
            );
        }

        table.Write(console);
        foreach (var note in result.Notes())
        {
            console.WriteUnfolded(note);
        }

        console.WriteUnfolded($"{result.Tensors} tensors of {result.Encoder} replaced, compared on {result.Prompts} prompts");
        console.WriteUnfolded($"written to {target}");
        console.WriteUnfolded($"report:    {report}");
    }

    private static string Metric(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);
}
