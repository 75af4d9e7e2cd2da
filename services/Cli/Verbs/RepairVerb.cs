using System.CommandLine;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Repairing;
using ClipSae.Cli.Running;
using ClipSae.Clip.Tokenizers;
using ClipSae.Datasets.Sources;

namespace ClipSae.Cli.Verbs;

/// <summary>
/// Cures a model with pictures alone: the model labels them itself, curation prints words that fool it, and it is distilled from what it
/// saw before the print. Neither labels nor captions are read, even where they are next to the pictures.
/// </summary>
internal sealed class RepairVerb : Verb
{
    private readonly ValueOption<string> _model = new(
        "--model",
        "PATH",
        "CLIP checkpoint: safetensors, PyTorch file, a folder of transformers or open_clip, or a run's name"
    )
    {
        Required = true,
    };
    private readonly ValueOption<string> _images = new(
        "--images",
        "FOLDER",
        "Folder of pictures; labels and captions are not needed and not read"
    )
    {
        Required = true,
    };
    private readonly ValueOption<string?> _tokenizer = new(
        "--tokenizer",
        "FILE",
        "The model's vocabulary (bpe_simple_vocab_16e6.txt.gz) [default: next to the checkpoint]"
    );
    private readonly ValueOption<string?> _words = new(
        "--words",
        "WORD,…",
        "Words that the pictures may show and attacks print [default: the words of the vocabulary by which the model classifies them]"
    );
    private readonly ValueOption<string?> _out = new(
        "--out",
        "FOLDER",
        "Folder for the repaired model in all formats [default: formats in the data folder]"
    );
    private readonly ValueOption<string[]> _evaluation = new(
        "--evaluation",
        "NAME=FOLDER",
        "Set to compare base and repaired on; names: " + string.Join(", ", GivenSet.KnownNames)
    );
    private readonly ValueOption<string?> _preset = new("--preset", "NAME", Preset.Description);
    private readonly RunOptions _run = new();

    public RepairVerb()
        : base(
            "repair",
            "Repair a model with images alone: no labels, captions or attack data.",
            "clipsae repair --model ViT-L-14.safetensors --tokenizer bpe_simple_vocab_16e6.txt.gz --images photos",
            "clipsae repair --model base.safetensors --images world/tuning --preset demo "
                + "--evaluation clean=world/evaluation/clean --evaluation attacked=world/evaluation/attacked",
            "clipsae repair --model base.safetensors --images photos --words dog,cat,ship,truck --out repaired"
        )
    {
        Add([_model, _images, _tokenizer, _words, _out, _evaluation, _preset, .. _run.All]);
    }

    public override async Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel)
    {
        var images = GivenPath.Folder("--images", arguments.GetValue(_images)!)!;
        var model = await GivenModel.PathAsync("--model", arguments.GetValue(_model)!, session, cancel);
        var vocabulary = GivenPath.File("--tokenizer", arguments.GetValue(_tokenizer)) ?? ClipTokenizer.FileBeside(model);
        var evaluations = await GivenSet.ParseAllAsync("--evaluation", arguments.GetValue(_evaluation), session, cancel);
        var preset = Preset.Load(arguments.GetValue(_preset), ModelFiles.Architecture(model), session);
        var folder = GivenPath.NewFolder("--out", arguments.GetValue(_out) ?? Path.Combine(session.DataFolder, "formats"))!;
        var device = session.UseDevice();
        ModelFiles.Check(model, vocabulary, session);
        var tokenizer = ClipTokenizer.Load(vocabulary);

        await using var runtime = Workplace.Open(session);
        var labels = OwnLabels.Find(images, model, tokenizer, Words(arguments), device, cancel);
        session.Tell(
            $"{labels.Images.Count} pictures; the model classifies them as {labels.Classes.Count} things: "
                + $"{string.Join(", ", labels.Classes.Take(12))}{(labels.Classes.Count > 12 ? ", …" : "")}"
        );
        foreach (var kind in labels.LeftOut.GroupBy(problem => problem.Detail, StringComparer.Ordinal))
        {
            session.Tell($"{kind.Count()} left out, first {kind.First().Where}: {kind.Key}");
        }

        if (labels.Unreadable > 0)
        {
            session.Tell($"{labels.Unreadable} pictures cannot be read and are left out");
        }

        var captions = Path.Combine(runtime.Scratch.NewFolder(), "captions.json");
        labels.Save(captions);
        var parameters = await _run.ParametersAsync(arguments, preset, session, runtime, Assignments(labels.Classes));
        var inputs = new RunInputs(runtime, session);
        await inputs.AddModelAsync(model, vocabulary, cancel);
        await inputs.AddDatasetAsync(images, new ImportOptions { CaptionFile = captions }, cancel);
        foreach (var set in evaluations)
        {
            await inputs.AddEvaluationAsync(set.Name, set, new ImportOptions(), cancel);
        }

        return await new RunExecution(session, runtime, (summary, stop) =>
            WrittenFormats.WriteAsync(summary, runtime.Artifacts, tokenizer, folder, stop)
        ).RunAsync(new RunSpec(inputs.All, parameters, _run.Seed(arguments)), cancel);
    }

    // Both as lists, whatever they hold; --arms and --set come after and may change them.
    private static IEnumerable<string> Assignments(IReadOnlyList<string> classes)
    {
        var list = CanonicalJson.Serialize(
            new System.Text.Json.Nodes.JsonArray([.. classes.Select(word => System.Text.Json.Nodes.JsonValue.Create(word))])
        );
        return
        [
            $"curation.classes={list}",
            $"curation.words={list}",
            "tuning.arms=[\"distil\"]",
            // Clean accuracy is agreement with the base's own answers here: one that changes may have been wrong.
            "tuning.cleanLossCost=1",
        ];
    }

    private string[]? Words(ParseResult arguments)
    {
        if (arguments.GetValue(_words) is not { } given)
        {
            return null;
        }

        string[] words =
        [
            .. given.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal),
        ];
        return words.Length >= 2 ? words : throw new WrongUseException($"--words {given}: name at least two");
    }
}
