using System.CommandLine;
using System.Text.Json.Nodes;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Output;
using ClipSae.Datasets.Drawing;
using ClipSae.Datasets.World;

namespace ClipSae.Cli.Verbs;

/// <summary>Draws the synthetic world into a folder.</summary>
internal sealed class MakeDatasetVerb : Verb
{
    private static readonly SyntheticWorldOptions Defaults = new();

    private readonly Argument<string> _folder = new("folder") { Description = "Folder to write to; created if missing" };
    private readonly ValueOption<int> _train = new("--train", "N", "Images for pre-training", Defaults.TrainImages);
    private readonly ValueOption<int> _tuning = new(
        "--tuning",
        "N",
        "Images for fine-tuning; no held-out word or font is printed",
        Defaults.TuningImages
    );
    private readonly ValueOption<int> _evaluation = new("--evaluation", "N", "Images in each evaluation set", Defaults.EvaluationImages);
    private readonly ValueOption<int> _size = new("--size", "N", "Pixels a side", Defaults.ImageSize);

    private readonly ValueOption<long> _seed = new("--seed", "N", "Seed of every image", Defaults.Seed);

    private readonly ValueOption<string?> _fonts = new(
        "--fonts",
        "FOLDER",
        "Folder of .ttf/.otf files to print with [default: DejaVu and Inter]"
    );

    public MakeDatasetVerb()
        : base(
            "make-dataset",
            "Draw a captioned world of objects and printed words, with typographic test sets.",
            "clipsae make-dataset world",
            "clipsae make-dataset small --train 0 --tuning 400 --evaluation 100 --seed 7"
        )
    {
        Add(_folder, _train, _tuning, _evaluation, _size, _seed, _fonts);
    }

    public override Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel)
    {
        var options = Defaults with
        {
            Seed = arguments.GetValue(_seed),
            ImageSize = AtLeast("--size", arguments.GetValue(_size), 32),
            TrainImages = AtLeast("--train", arguments.GetValue(_train), 0),
            TuningImages = AtLeast("--tuning", arguments.GetValue(_tuning), 0),
            EvaluationImages = AtLeast("--evaluation", arguments.GetValue(_evaluation), 0),
        };
        using var fonts = FontCatalogue.Load(GivenPath.Folder("--fonts", arguments.GetValue(_fonts)));
        var folder = GivenPath.NewFolder("folder", arguments.GetValue(_folder))!;
        var world = new SyntheticWorld(options, fonts);
        using var drawn = new CountBar(session, "images drawn", world.Splits.Sum(split => split.Count));
        var counts = SyntheticWorldWriter.Write(world, folder, drawn, cancel);
        session.Answer(
            new JsonObject
            {
                ["folder"] = folder,
                ["seed"] = options.Seed,
                ["splits"] = new JsonObject(counts.Select(split => KeyValuePair.Create(split.Key, (JsonNode?)split.Value))),
            },
            console =>
            {
                var table = new NumberTable("split", "images");
                foreach (var (name, count) in counts)
                {
                    table.Add(name, [$"{count}"]);
                }

                table.Write(console);
                console.WriteUnfolded($"written to {folder}");
            }
        );
        return Task.FromResult(ExitCode.Done);
    }

    private static int AtLeast(string option, int value, int min) =>
        value >= min ? value : throw new WrongUseException($"{option} {value}: must be {min} or more");
}
