using System.CommandLine;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Output;
using ClipSae.Cli.Running;
using ClipSae.Clip.Preprocessing;
using ClipSae.Clip.Tokenizers;
using ClipSae.Datasets;
using ClipSae.Datasets.Import;
using ClipSae.Datasets.Shards;
using ClipSae.Datasets.Sources;
using ClipSae.FineTuning.Data;
using ClipSae.FineTuning.Pretraining;

namespace ClipSae.Cli.Verbs;

/// <summary>Trains a small CLIP from scratch on captioned images.</summary>
internal sealed class PretrainVerb : Verb
{
    private static readonly PretrainingOptions Defaults = new();
    private static readonly ImageAugmentation Photographs = new();

    private readonly ValueOption<string> _dataset = new("--dataset", "FOLDER", "Folder of captioned images") { Required = true };
    private readonly ValueOption<string> _out = new("--out", "FOLDER", "Folder for model.safetensors and bpe.txt.gz") { Required = true };
    private readonly ValueOption<string?> _tokenizer = new(
        "--tokenizer",
        "FILE",
        "Vocabulary in CLIP's format [default: learned from the captions]"
    );
    private readonly ValueOption<int> _resolution = new("--resolution", "N", "Pixels a side, a multiple of the patch", Defaults.Resolution);
    private readonly ValueOption<int> _patch = new("--patch", "N", "Pixels of a patch's side", Defaults.PatchSize);
    private readonly ValueOption<int> _visionWidth = new(
        "--vision-width",
        "N",
        "Width of the vision tower, a multiple of 64",
        Defaults.VisionWidth
    );
    private readonly ValueOption<int> _visionLayers = new("--vision-layers", "N", "Blocks of the vision tower", Defaults.VisionLayers);
    private readonly ValueOption<int> _textWidth = new(
        "--text-width",
        "N",
        "Width of the text tower, a multiple of 64",
        Defaults.TextWidth
    );
    private readonly ValueOption<int> _textLayers = new("--text-layers", "N", "Blocks of the text tower", Defaults.TextLayers);
    private readonly ValueOption<int> _embed = new("--embed", "N", "Width of the common embedding", Defaults.EmbedDim);
    private readonly ValueOption<int> _context = new(
        "--context",
        "N",
        "Tokens of a caption, start and end included",
        Defaults.ContextLength
    );
    private readonly ValueOption<int> _merges = new("--merges", "N", "Byte-pair merges to learn", Defaults.Merges);
    private readonly ValueOption<int> _steps = new("--steps", "N", "Optimizer steps", Defaults.Steps);
    private readonly ValueOption<int> _batch = new("--batch-size", "N", "Images a step", Defaults.BatchSize);
    private readonly ValueOption<int> _warmup = new("--warmup", "N", "Steps of warm-up", Defaults.WarmUpSteps);
    private readonly ValueOption<double> _learningRate = new("--learning-rate", "RATE", "Peak learning rate", Defaults.LearningRate);
    private readonly ValueOption<double> _decay = new("--weight-decay", "X", "Decay of matrices", Defaults.WeightDecay);
    private readonly Option<bool> _photographs = new("--photographs")
    {
        Description = "Augment the images as suits photographs: random crops, mirror images, colours; recorded print is never cropped",
    };
    private readonly ValueOption<double?> _crop = new(
        "--crop",
        "X",
        $"Smallest side of a random crop, as a share [default with --photographs: {Photographs.Crop:0.0}]"
    );
    private readonly ValueOption<double?> _jitter = new(
        "--jitter",
        "X",
        $"How far brightness, contrast and saturation vary [default with --photographs: {Photographs.Jitter:0.0}]"
    );
    private readonly ValueOption<double?> _dropout = new(
        "--patch-dropout",
        "X",
        "Share of the patches of an image dropped in a step, except in the last tenth of the steps [default: 0]"
    );
    private readonly ValueOption<double> _heldOut = new(
        "--held-out",
        "X",
        $"Share of the images, at most {HeldOutImages.MaxImages}, that are not trained on but named at the end; 0 trains on all",
        0.05
    );

    private readonly ValueOption<long> _seed = new("--seed", "N", "Seed of all random choices", Defaults.Seed);

    public PretrainVerb()
        : base(
            "pretrain",
            "Train a small CLIP of OpenAI's architecture from scratch on captioned images.",
            "clipsae pretrain --dataset world/train --out base",
            "clipsae pretrain --dataset photos --out base --photographs --patch-dropout 0.5 --resolution 96 --patch 16 "
                + "--vision-width 192 --steps 6000"
        )
    {
        Add(
            _dataset,
            _out,
            _tokenizer,
            _resolution,
            _patch,
            _visionWidth,
            _visionLayers,
            _textWidth,
            _textLayers,
            _embed,
            _context,
            _merges,
            _steps,
            _batch,
            _warmup,
            _learningRate,
            _decay,
            _photographs,
            _crop,
            _jitter,
            _dropout,
            _heldOut,
            _seed
        );
    }

    public override async Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel)
    {
        var folder = GivenPath.Folder("--dataset", arguments.GetValue(_dataset))!;
        var vocabulary = GivenPath.File("--tokenizer", arguments.GetValue(_tokenizer));
        var options = Chosen(arguments);
        var target = GivenPath.NewFolder("--out", arguments.GetValue(_out))!;
        var device = session.UseDevice();
        var start = session.Time.GetTimestamp();

        var share = arguments.GetValue(_heldOut) is >= 0 and <= 0.5 and var given
            ? given
            : throw new WrongUseException(
                FormattableString.Invariant($"--held-out {arguments.GetValue(_heldOut)}: expected a share from 0 to 0.5")
            );
        var (data, heldOut) = await LoadAsync(folder, options, share, session, cancel);
        using var training = data;
        using var asked = heldOut;
        var tokenizer = vocabulary is null
            ? Pretrainer.LearnVocabulary(data, options.Merges)
            : ClipTokenizer.Load(vocabulary) as BytePairTokenizer
                ?? throw new UserErrorException(
                    $"{vocabulary}: is a SigLIP's vocabulary, and a CLIP is trained here, "
                        + "whose texts end in their largest id; name a CLIP's vocabulary"
                );
        string[] different = [.. data.Captions.SelectMany(captions => captions).Distinct(StringComparer.Ordinal)];
        if (different.Count(caption => IsCut(tokenizer, caption, options.ContextLength)) is > 0 and var cut)
        {
            session.Tell(
                $"{cut} of {different.Length} different captions are longer than {options.ContextLength} tokens and are cut; "
                    + "--context allows more"
            );
        }

        session.Tell(
            $"{data.Count} images to train on, {heldOut?.Count ?? 0} held out, "
                + $"vocabulary of {tokenizer.VocabularySize}, {options.Steps} steps"
        );
        double loss = 0;
        var begun = session.Time.GetTimestamp();
        var isFirst = true;
        var shown = new PacedReporter<Pretrainer.Progress>(session.Time, at =>
        {
            var elapsed = session.Time.GetElapsedTime(begun);
            var left = elapsed * ((double)(at.Total - at.Step) / at.Step);
            session.Tell(
                $"step {at.Step}/{at.Total}, {Amounts.Rate(at.Step / elapsed.TotalSeconds, "steps")}, {Amounts.Duration(left)} left, "
                    + $"loss {Amounts.Significant(at.Loss)}"
            );
        });
        var progress = new Reporter<Pretrainer.Progress>(at =>
        {
            loss = at.Loss;
            if (isFirst)
            {
                isFirst = false;
                var whole = session.Time.GetElapsedTime(begun) * ((double)at.Total / at.Step);
                session.Tell($"{at.Total} steps take about {Amounts.Duration(whole)} here; --steps changes that");
            }

            shown.Report(at);
        });
        using var model = Pretrainer.Train(data, tokenizer, options, device, progress, cancel);
        var parameters = model.parameters().Sum(parameter => parameter.numel());
        var (weights, words) = (Path.Combine(target, "model.safetensors"), Path.Combine(target, "bpe.txt.gz"));
        model.Save(
            weights,
            new Dictionary<string, string>
            {
                ["format"] = "pt",
                ["pretraining"] = System.Text.Json.JsonSerializer.Serialize(options, ContractJson.Options),
            }
        );
        AtomicFile.Write(
            words,
            vocabulary is null ? Compressed(BpeLearner.Format(tokenizer.Merges)) : await File.ReadAllBytesAsync(vocabulary, cancel)
        );

        var accuracy = heldOut?.Accuracy(model, tokenizer, device);
        var took = session.Time.GetElapsedTime(start);
        session.Answer(
            new JsonObject
            {
                ["model"] = weights,
                ["tokenizer"] = words,
                ["parameters"] = parameters,
                ["images"] = data.Count,
                ["steps"] = options.Steps,
                ["loss"] = loss,
                ["heldOut"] = heldOut is null
                    ? null
                    : new JsonObject
                    {
                        ["images"] = heldOut.Count,
                        ["choices"] = heldOut.Choices,
                        ["accuracy"] = Math.Round(accuracy!.Value, 4),
                    },
                ["seconds"] = Math.Round(took.TotalSeconds, 1),
            },
            console =>
            {
                console.WriteUnfolded(
                    $"{parameters:N0} parameters trained on {data.Count} images in {Amounts.Duration(took)}: {weights}, {words}"
                );
                if (heldOut is not null)
                {
                    console.WriteUnfolded(
                        $"on {heldOut.Count} images that were held out: {Amounts.Share(accuracy)} named right "
                            + $"among {heldOut.Choices} {(heldOut.AreClasses ? "classes" : "captions")} "
                            + $"(chance {Amounts.Share(1.0 / heldOut.Choices)})"
                    );
                }
            }
        );
        return ExitCode.Done;
    }

    private static bool IsCut(ClipTokenizer tokenizer, string caption, int context)
    {
        tokenizer.Encode(caption, context, out var isCut);
        return isCut;
    }

    private ImageAugmentation? Variation(ParseResult arguments)
    {
        var (crop, jitter, dropout) = (arguments.GetValue(_crop), arguments.GetValue(_jitter), arguments.GetValue(_dropout));
        var start = arguments.GetValue(_photographs)
            ? Photographs
            : new ImageAugmentation
            {
                Crop = 1,
                Flip = false,
                Jitter = 0,
            };
        return arguments.GetValue(_photographs) || (crop ?? jitter ?? dropout) is not null
            ? start with
            {
                Crop = crop ?? start.Crop,
                Jitter = jitter ?? start.Jitter,
                PatchDropout = dropout ?? start.PatchDropout,
            }
            : null;
    }

    private PretrainingOptions Chosen(ParseResult arguments) =>
        WrongUseException.Checked(() =>
            new PretrainingOptions
            {
                Resolution = arguments.GetValue(_resolution),
                PatchSize = arguments.GetValue(_patch),
                VisionWidth = arguments.GetValue(_visionWidth),
                VisionLayers = arguments.GetValue(_visionLayers),
                TextWidth = arguments.GetValue(_textWidth),
                TextLayers = arguments.GetValue(_textLayers),
                EmbedDim = arguments.GetValue(_embed),
                ContextLength = arguments.GetValue(_context),
                Merges = arguments.GetValue(_merges),
                Steps = arguments.GetValue(_steps),
                BatchSize = arguments.GetValue(_batch),
                WarmUpSteps = arguments.GetValue(_warmup),
                LearningRate = arguments.GetValue(_learningRate),
                WeightDecay = arguments.GetValue(_decay),
                Variation = Variation(arguments),
                Seed = arguments.GetValue(_seed),
            }.Validated()
        );

    private static async Task<(CaptionedPixels Training, HeldOutImages? HeldOut)> LoadAsync(
        string folder,
        PretrainingOptions options,
        double heldOut,
        Session session,
        CancellationToken cancel
    )
    {
        using var scratch = new ProcessScratch(session.DataFolder);
        var store = new FolderArtifactStore(session.DataFolder);
        var imported = await DatasetImporter.ImportAsync(
            folder,
            new ImportOptions(),
            store,
            new LineLoggerProvider(session).CreateLogger("import"),
            scratch: scratch.NewFolder(),
            cancel: cancel
        );
        EarlyChecks.RequirePairs(imported.Variety, batch: null, "--batch-size");
        var shards = new List<string>();
        foreach (var shard in imported.Shards)
        {
            shards.Add(await store.FetchAsync(shard, cancel));
        }

        var items = shards.SelectMany(DatasetShard.ReadItems).ToArray();
        var kept = HeldOutImages.Draw(items, heldOut, options.Seed).ToHashSet();

        // A batch must stay whole: of a small data set nothing is held out.
        kept = kept.Count < 2 || items.Length - kept.Count < options.BatchSize ? [] : kept;
        var training = Load(shards, items, place => !kept.Contains(place), options.Resolution, cancel);
        return (
            training,
            kept.Count == 0
                ? null
                : HeldOutImages.Of(
                    Load(shards, items, kept.Contains, options.Resolution, cancel),
                    [.. items.Where((_, place) => kept.Contains(place))]
                )
        );
    }

    private static CaptionedPixels Load(
        IReadOnlyList<string> shards,
        DatasetItem[] all,
        Func<int, bool> isTaken,
        int resolution,
        CancellationToken cancel
    )
    {
        DatasetItem[] items = [.. all.Where((_, place) => isTaken(place))];
        IReadOnlyList<string>[] captions = [.. items.Select(item => item.Captions)];
        var rows = new PixelRows(captions.Length, ImagePreparation.OpenAi(resolution));
        PixelLoader.Fill(
            shards
                .SelectMany(DatasetShard.Read)
                .Where((_, place) => isTaken(place))
                .Select((entry, row) => (rows, row, entry.Item.Id, entry.ImageBytes)),
            cancel: cancel
        );
        return new CaptionedPixels(rows.Pixels, captions) { Printed = [.. items.Select(item => PrintedText.On(item) is not null)] };
    }

    private static byte[] Compressed(string text)
    {
        using var target = new MemoryStream();
        using (var gzip = new GZipStream(target, CompressionLevel.SmallestSize))
        {
            gzip.Write(Encoding.UTF8.GetBytes(text));
        }

        return target.ToArray();
    }
}
