using System.CommandLine;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.AttackCuration.Settings;
using ClipSae.Cli.AttackSets;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Output;
using ClipSae.Cli.Running;
using ClipSae.Datasets;
using ClipSae.Datasets.Drawing;
using ClipSae.Datasets.Import;
using ClipSae.Datasets.Shards;
using ClipSae.Datasets.Sources;

namespace ClipSae.Cli.Verbs;

/// <summary>Makes sets to evaluate on out of the user's own labelled photographs.</summary>
internal sealed class AttackSetVerb : Verb
{
    private const string Clean = "clean";
    private const string Attacked = "attacked";
    private const string HeldOut = "attacked-heldout";

    private readonly Argument<string> _photos = new("photos")
    {
        Description = "Folder of labelled pictures: a folder a class, or captions with labels",
    };
    private readonly Argument<string> _target = new("out") { Description = "Folder for the sets; created if missing" };
    private readonly ValueOption<string?> _words = new("--words", "WORD,…", "Words to print [default: the names of the other classes]");
    private readonly ValueOption<string?> _heldOut = new("--held-out-words", "WORD,…", "Words of the held-out set [default: the same]");
    private readonly Option<string?> _families = new("--families")
    {
        Description =
            $"A set attacked-NAME for each family of print: all, or of {string.Join(", ", PrintFamily.All.Select(family => family.Name))}",
        HelpName = "NAME,…",
    };
    private readonly ValueOption<int> _side = new("--side", "N", "Pixels a side; pictures are cropped as CLIP crops them", 224);
    private readonly ValueOption<long> _seed = new("--seed", "N", "Seed of words, fonts and positions");
    private readonly ValueOption<string?> _fonts = new(
        "--fonts",
        "FOLDER",
        "Folder of .ttf/.otf files to print with [default: DejaVu and Inter]"
    );

    public AttackSetVerb()
        : base(
            "attack-set",
            "Print wrong words on your own labelled photographs: sets clean, attacked and attacked-heldout to evaluate on.",
            "clipsae attack-set photos/test sets",
            "clipsae attack-set photos/test sets --words cat,dog,ship --held-out-words sale,news --families all",
            "clipsae evaluate --model base.safetensors --evaluation clean=sets/clean --evaluation attacked=sets/attacked "
                + "--evaluation attacked-heldout=sets/attacked-heldout"
        )
    {
        Add(_photos, _target, _words, _heldOut, _families, _side, _seed, _fonts);
    }

    public override bool Computes => false;

    public override async Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel)
    {
        var photos = GivenPath.Folder("photos", arguments.GetValue(_photos))!;
        var side = arguments.GetValue(_side) is >= 32 and <= 2048 and var given
            ? given
            : throw new WrongUseException($"--side {arguments.GetValue(_side)}: expected 32 to 2048");
        using var fonts = FontCatalogue.Load(GivenPath.Folder("--fonts", arguments.GetValue(_fonts)));
        var families = Families(arguments.GetValue(_families), fonts);
        var (printed, heldOut) = (Words(_words, arguments), Words(_heldOut, arguments));
        var target = GivenPath.NewFolder("out", arguments.GetValue(_target))!;
        if (
            new[] { Clean, Attacked, HeldOut }
                .Concat(families.Select(NameOf))
                .Select(name => Path.Combine(target, name))
                .FirstOrDefault(Path.Exists) is
            { } there
        )
        {
            throw new WrongUseException($"out: {there} already exists; choose another folder, so that sets do not mix");
        }

        var (shards, labels) = await LabelledAsync(photos, session, cancel);
        IReadOnlyList<string> words = printed ?? labels;
        var roster = fonts.Of(null);
        AttackSetWriter.Kind[] kinds =
        [
            new(Clean, [], roster, new WordStyle()),
            new(Attacked, words, roster, new WordStyle()),
            new(HeldOut, heldOut ?? words, [.. fonts.HeldOut.Select(face => face.Name)], new WordStyle()),
            .. families.Select(family => new AttackSetWriter.Kind(NameOf(family), words, fonts.Of(family.Faces), family.Style)),
        ];
        var writer = new AttackSetWriter(fonts, side, arguments.GetValue(_seed));
        var done = 0;
        using var progress = new CountBar(
            session,
            "pictures drawn",
            kinds.Length * shards.SelectMany(DatasetShard.ReadItems).Count(item => PrintedText.On(item) is null)
        );
        var counts = kinds
            .Select(kind =>
                (
                    kind.Name,
                    Count: writer.Write(
                        kind,
                        shards.SelectMany(DatasetShard.Read).Where(entry => PrintedText.On(entry.Item) is null),
                        target,
                        () => progress.Report(++done),
                        cancel
                    )
                )
            )
            .ToArray();
        session.Answer(
            new JsonObject
            {
                ["folder"] = target,
                ["sets"] = new JsonObject(counts.Select(set => KeyValuePair.Create(set.Name, (JsonNode?)set.Count))),
            },
            console =>
            {
                foreach (var (name, count) in counts)
                {
                    console.WriteUnfolded($"--evaluation {name}={Path.Combine(target, name)}   # {count} pictures");
                }
            }
        );
        return ExitCode.Done;
    }

    private static string NameOf(PrintFamily family) => $"{Attacked}-{family.Name}";

    private static IReadOnlyList<PrintFamily> Families(string? given, FontCatalogue fonts)
    {
        var drawable = PrintFamily.DrawableWith(fonts);
        return given is null ? []
            : given == AttackCurationOptions.AllFamilies ? drawable
            :
            [
                .. given
                    .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                    .Distinct(StringComparer.Ordinal)
                    .Select(name =>
                        drawable.FirstOrDefault(family => family.Name == name)
                        ?? throw new WrongUseException(
                            $"--families {name}: "
                                + (
                                    PrintFamily.All.Any(family => family.Name == name)
                                        ? "this machine has no face for it; --fonts names a folder of faces"
                                        : $"there are {string.Join(", ", PrintFamily.All.Select(family => family.Name))}"
                                )
                        )
                    ),
            ];
    }

    private static string[]? Words(Option<string?> option, ParseResult arguments) =>
        arguments.GetValue(option) is not { } given ? null
        : given.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 } words
            ? [.. words.Select(ComposedText.Of).Distinct(StringComparer.Ordinal)]
        : throw new WrongUseException($"{option.Name}: name at least one word");

    private static async Task<(IReadOnlyList<string> Shards, IReadOnlyList<string> Labels)> LabelledAsync(
        string photos,
        Session session,
        CancellationToken cancel
    )
    {
        using var scratch = new ProcessScratch(session.DataFolder);
        var store = new FolderArtifactStore(session.DataFolder);
        var imported = await DatasetImporter.ImportAsync(
            photos,
            new ImportOptions { LabelsNeeded = true },
            store,
            new LineLoggerProvider(session).CreateLogger("import"),
            scratch: scratch.NewFolder(),
            cancel: cancel
        );
        var shards = new List<string>();
        foreach (var shard in imported.Shards)
        {
            shards.Add(await store.FetchAsync(shard, cancel));
        }

        return (shards, [.. imported.Content.Labels.Keys]);
    }
}
