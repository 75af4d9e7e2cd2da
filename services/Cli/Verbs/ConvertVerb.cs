using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Output;
using ClipSae.Cli.Running;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Tokenizers;
using ClipSae.WeightConversion;
using ClipSae.WeightConversion.Targets;
using ClipSae.WeightConversion.Weights;
using Spectre.Console;

namespace ClipSae.Cli.Verbs;

/// <summary>Rewrites a checkpoint in the formats that other programs load.</summary>
internal sealed class ConvertVerb : Verb
{
    private readonly Argument<string> _source = new("in")
    {
        Description = "CLIP checkpoint: safetensors, PyTorch file, a folder of transformers or open_clip, or a run's name",
    };
    private readonly Argument<string> _target = new("out") { Description = "Folder to write to; created if missing" };

    private readonly ValueOption<string[]> _formats = new(
        "--to",
        "FORMAT",
        "Formats: " + string.Join(", ", ConversionTarget.All.Select(target => target.Name))
    )
    {
        Required = true,
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly PrecisionOption _dtype = new("--dtype")
    {
        Description = "Precision of the weights: float32, float16, bfloat16; gmp and onnx support float32 only [default: float32]",
    };
    private readonly ValueOption<string?> _tokenizer = new(
        "--tokenizer",
        "FILE",
        "Vocabulary of the model, for formats that carry it [default: next to the checkpoint]"
    );
    private readonly ValueOption<string?> _vision = new(
        "--vision",
        "PATH",
        "Checkpoint with the vision tower, if IN is only a text encoder"
    );
    private readonly Option<string?> _activation = new("--activation")
    {
        Description =
            "Activation that the model was trained with, "
            + $"where neither the file nor a config.json next to it says: {string.Join(", ", MlpActivation.All)}",
        HelpName = "NAME",
    };

    private readonly ValueOption<string?> _heads = new(
        "--heads",
        "V,T",
        "Attention heads of the vision and the text tower, where nothing says them, such as 16,16 [default: 64 wide]"
    );
    private readonly ValueOption<string?> _adapter = new(
        "--adapter",
        "FOLDER",
        "LoRA in PEFT's format to merge into IN: the folder with adapter_model.safetensors and adapter_config.json"
    );
    private readonly ValueOption<string?> _base = new("--base", "PATH", "Checkpoint that IN was tuned from, for the format peft");
    private readonly ValueOption<int?> _rank = new(
        "--rank",
        "N",
        "Rank of the adapter that IN was tuned with, for the format peft [default: what IN says]"
    );
    private readonly ValueOption<double?> _tolerance = new(
        "--tolerance",
        "SHARE",
        "Largest difference of a feature that passes, as a share of the largest feature [default: by precision]"
    );

    public ConvertVerb()
        : base(
            "convert",
            "Rewrite a checkpoint in the formats that other programs load; each is loaded again and compared with the source.",
            "clipsae convert ViT-L-14.pt converted --to openai huggingface",
            "clipsae convert tuned.safetensors out --to huggingface text-encoder open-clip openai-pt --dtype float16",
            "clipsae convert clip_l.safetensors whole --vision ViT-L-14.pt --to huggingface",
            "clipsae convert ViT-L-14.pt merged --adapter lora --to openai",
            "clipsae convert latest lora --to peft --base ViT-L-14.pt --rank 16"
        )
    {
        Add(_source, _target, _formats, _dtype, _tokenizer, _vision, _activation, _heads, _adapter, _base, _rank, _tolerance);
    }

    public override async Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel)
    {
        var path = await GivenModel.PathAsync("in", arguments.GetValue(_source)!, session, cancel);
        var vision = arguments.GetValue(_vision) is { } given ? await GivenModel.PathAsync("--vision", given, session, cancel) : null;
        var vocabulary = GivenPath.File("--tokenizer", arguments.GetValue(_tokenizer));
        var options = OptionsOf(arguments);
        session.UseDevice();
        var source = new ConversionSource(path, Path.GetFileName(path), vision, Traits(arguments))
        {
            Adapter = arguments.GetValue(_adapter) is { } adapter ? GivenPath.FileOrFolder(_adapter.Name, adapter) : null,
            Base = arguments.GetValue(_base) is { } tunedFrom ? await GivenModel.PathAsync(_base.Name, tunedFrom, session, cancel) : null,
        };
        if (options.Targets.Any(target => target.NeedsBase))
        {
            source = source with { Form = FormOf(source, arguments) };
        }

        // Only formats that carry the vocabulary need one; an explicit one is read in any case, so that a wrong one is reported.
        var tokenizer =
            vocabulary is not null ? ClipTokenizer.Load(vocabulary)
            : options.Targets.Any(target => target.NeedsTokenizer) ? ClipTokenizer.Load(ClipTokenizer.FileBeside(path))
            : null;
        var folder = GivenPath.NewFolder("out", arguments.GetValue(_target))!;
        var conversion = Conversion.Replace(source, folder, options, tokenizer, cancel);
        session.Answer(
            new JsonObject
            {
                ["folder"] = folder,
                ["geometricLayers"] = conversion.GeometricLayers,
                ["files"] = JsonSerializer.SerializeToNode(conversion.Files, ContractJson.Options),
                ["proofs"] = JsonSerializer.SerializeToNode(conversion.Proofs, ContractJson.Options),
            },
            console => Write(console, folder, conversion)
        );
        return ExitCode.Done;
    }

    private LowRankAdapter FormOf(ConversionSource source, ParseResult arguments)
    {
        WrongUseException.ThrowIf(
            source.Base is null,
            "--to peft: an adapter is what changed about a base: name the checkpoint that IN was tuned from with --base"
        );

        return arguments.GetValue(_rank) switch
        {
            null => source.TrainedForm()
                ?? throw new WrongUseException(
                    $"--to peft: {source.Name} does not say which adapter it was tuned with: name its rank with --rank"
                ),
            >= 1 and <= LowRankAdapter.MaxRank and var rank => new LowRankAdapter(rank, rank, LowRankAdapter.Layers),
            var other => throw new WrongUseException($"--rank {other}: expected 1 to {LowRankAdapter.MaxRank}"),
        };
    }

    private ModelTraits Traits(ParseResult arguments)
    {
        var activation = arguments.GetValue(_activation) is { } name
            ? MlpActivation.Find(name)
                ?? throw new WrongUseException($"--activation: '{name}' is none of {string.Join(", ", MlpActivation.All)}")
            : null;
        int[] heads = [];
        if (arguments.GetValue(_heads) is { } given)
        {
            heads =
            [
                .. given
                    .Split(',')
                    .Select(text =>
                        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0 ? count : 0
                    ),
            ];
            WrongUseException.ThrowIf(
                heads.Length != 2 || heads.Contains(0),
                $"--heads: '{given}' is not two whole numbers, those of the vision and the text tower, such as 16,16"
            );
        }

        return heads is [var vision, var text] ? new ModelTraits(activation, vision, text) : new ModelTraits(activation);
    }

    private ConversionOptions OptionsOf(ParseResult arguments) =>
        WrongUseException.Checked(() =>
        {
            var options = new ConversionOptions
            {
                Formats = arguments.GetValue(_formats)!,
                Dtype = arguments.GetValue(_dtype),
                Tolerance = arguments.GetValue(_tolerance),
            };
            options.Validate();
            return options;
        });

    private static void Write(IAnsiConsole console, string folder, Conversion conversion)
    {
        var table = new NumberTable("written", "image features\ndiffer by", "text features\ndiffer by", "at most");
        foreach (var (path, proof) in conversion.Proofs)
        {
            table.Add(path, [Share(proof.Image.MaxRelative), Share(proof.Text.MaxRelative), Share(proof.Tolerance)]);
        }

        table.Write(console);
        foreach (var note in new[] { conversion.NullTokenNote, conversion.ContextNote }.OfType<string>())
        {
            console.WriteUnfolded(note);
        }

        console.WriteUnfolded($"{conversion.Files.Count} files in {folder}, with {Conversion.CardName} and {Conversion.ProvenanceName}");
    }

    private static string Share(double value) => FormattableString.Invariant($"{value:0.0e+0}");
}
