using ClipSae.AttackCuration.Images;
using ClipSae.AttackCuration.Salience;
using ClipSae.AttackCuration.Settings;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.Clip.Preprocessing;
using ClipSae.Imaging.Decoding;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration.Hygiene;

/// <summary>
/// Finds pictures whose captions repeat the word printed on them, without reading a letter. The text-salient features say which patches
/// contain print (<see cref="PrintDetector"/>); these are left out, and the model is asked again whether it sees what the caption names.
/// Where a carton says what it is, the object still speaks for the word. What the answers mean is learned from curation's own print, of
/// which the truth is known (<see cref="CaptionJudge"/>). Where the answers do not distinguish wrong words from own names, nothing is
/// found.
/// </summary>
public sealed class CaptionCheck(
    ClipModel model,
    VisionPlan vision,
    ZeroShotClassifier vocabulary,
    AttackCurationOptions options,
    Device device
)
{
    /// <summary>
    /// Shares of the patches of pictures without print that may be hidden with the print; the one is taken under which own names and wrong
    /// words are distinguished best.
    /// </summary>
    private static readonly double[] HiddenGround = [0.05, 0.1, 0.15];

    /// <summary>A picture whose caption repeats its print.</summary>
    /// <param name="Word">The caption's word.</param>
    /// <param name="Evidence">What was seen of it.</param>
    /// <param name="Probability">That it is one.</param>
    public sealed record Finding(ImageSource Image, string Word, CaptionJudge.Evidence Evidence, double Probability);

    /// <summary>What was looked at and found.</summary>
    /// <param name="Images">Pictures with a caption that could be decoded.</param>
    /// <param name="Examined">The half of them with most print, whose print was hidden.</param>
    /// <param name="Share">Share of the pictures whose captions repeat their print, as estimated.</param>
    /// <param name="HiddenGround">Share of patches without print that is hidden with the print.</param>
    /// <param name="Separation">How well own names and wrong words of curation's own print were distinguished (AUROC).</param>
    /// <param name="Printed">Pictures that contain print, whatever their captions say, and the patches that it is on; at most those
    /// examined.</param>
    public sealed record Result(
        int Images,
        int Examined,
        double Share,
        double HiddenGround,
        double Separation,
        IReadOnlyList<Finding> Found,
        IReadOnlyList<(ImageSource Image, IReadOnlyList<int> Patches)> Printed
    );

    private readonly Dictionary<string, int> _column = vocabulary
        .Names.Select((name, index) => (name, index))
        .ToDictionary(c => c.name, c => c.index, StringComparer.OrdinalIgnoreCase);

    /// <param name="detector">Where print is.</param>
    /// <param name="print">Curation's own print.</param>
    /// <param name="progress">How many looks at a picture are done, of how many: each is looked at once, and the half with most print
    /// again.</param>
    public Result Find(
        IReadOnlyList<ImageSource> pictures,
        PrintDetector detector,
        OwnPrint print,
        Action<long, long> progress,
        CancellationToken cancel
    )
    {
        var looks = pictures.Count + (pictures.Count / 2);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var seen = Look(pictures, detector, done => progress(done, looks), cancel);
        if (seen.Count == 0)
        {
            return new Result(0, 0, 0, 0, 0, [], []);
        }

        var middle = seen.Select(s => s.Print).Order().ElementAt((seen.Count - 1) / 2);
        var ground = seen.Where(s => s.Print <= middle).SelectMany(s => s.Patches).Order().ToArray();
        var (judge, printed, cut, share, separation) = Learn(detector, print, middle, ground, cancel);
        using (judge)
        using (printed)
        {
            var examined = seen.Where(s => s.Print > middle && s.Named.Count > 0).ToArray();
            var again = 0;
            var evidence = new List<(Sight Sight, int Word, CaptionJudge.Evidence Evidence)>();
            foreach (var batch in examined.Chunk(options.BatchSize))
            {
                cancel.ThrowIfCancellationRequested();
                using var step = NewDisposeScope();
                var pixels = PixelLoader.Load(batch.Length, i => batch[i].Image.Read(), vision.Architecture.Preparation, cancel);
                var logits = AskWithout(pixels, [.. batch.Select(s => s.Patches)], cut, cancel);
                evidence.AddRange(
                    batch.SelectMany(
                        (sight, i) =>
                            sight.Named.Select(word =>
                                (
                                    sight,
                                    word,
                                    new CaptionJudge.Evidence(
                                        sight.Print,
                                        CaptionJudge.Margin(sight.Logits, word, sight.Named),
                                        CaptionJudge.Margin(logits[i], word, sight.Named)
                                    )
                                )
                            )
                    )
                );
                again += batch.Length;
                progress(Math.Min(looks, pictures.Count + again), looks);
            }

            var (probabilities, repeating) = judge.Judge([.. evidence.Select(e => e.Evidence)], seen.Count - examined.Length);
            var found = evidence
                .Zip(probabilities)
                .GroupBy(e => e.First.Sight)
                .Select(words => words.MaxBy(e => e.Second))
                .Where(e => e.Second > 0.5 && separation > 0.5)
                .Select(e => new Finding(e.First.Sight.Image, vocabulary.Names[e.First.Word], e.First.Evidence, e.Second));
            var bearing = printed.Judge([.. seen.Select(s => PrintAlone(s.Print))], others: 0).Probabilities;
            return new Result(
                seen.Count,
                examined.Length,
                repeating,
                share,
                separation,
                [.. found],
                [
                    .. seen.Zip(bearing)
                        .Where(s => s.Second > 0.5 && s.First.Print > middle)
                        .Select(s => (s.First.Image, Hidden(s.First.Patches, cut))),
                ]
            );
        }
    }

    /// <summary>Learns what the answers mean from pictures that bear no print but curation's own.</summary>
    /// <returns>What finds repeating captions, what distinguishes print from none, the log-odds from which a patch is hidden, and how both
    /// were chosen.</returns>
    private (CaptionJudge Judge, CaptionJudge Printed, double Cut, double Share, double Separation) Learn(
        PrintDetector detector,
        OwnPrint print,
        double middle,
        float[] ground,
        CancellationToken cancel
    )
    {
        var before = PrintDetector.Scores(detector.PatchesOf(print.Clean, cancel));
        int[] usable =
        [
            .. Enumerable
                .Range(0, print.Count)
                .Where(i => before[i] <= middle && _column.ContainsKey(print.Words[i]) && _column.ContainsKey(print.Labels[i])),
        ];
        UserErrorException.ThrowIf(
            usable.Length < 8,
            $"curation.captionHygiene: only {usable.Length} of {print.Count} labelled pictures seem to be without print; "
                + $"at least 8 are needed to learn from. "
                + $"Raise curation.pairs, give more labelled images, or set curation.captionHygiene=keep"
        );

        using var scope = NewDisposeScope();
        var index = tensor(usable.Select(i => (long)i).ToArray());
        var (clean, wrong, named) = (
            print.Clean.index_select(0, index),
            print.Wrong.index_select(0, index),
            print.Named.index_select(0, index)
        );
        var (label, word) = (usable.Select(i => _column[print.Labels[i]]).ToArray(), usable.Select(i => _column[print.Words[i]]).ToArray());
        var sets = new (Tensor Pixels, int[] Columns)[] { (wrong, word), (named, label), (clean, label) }
            .Select(set => (set.Pixels, set.Columns, Patches: detector.PatchesOf(set.Pixels, cancel), Logits: Ask(set.Pixels, cancel)))
            .ToArray();
        var tried = HiddenGround
            .Select(share =>
            {
                var cut = ground[(int)((1 - share) * (ground.Length - 1))];
                var evidence = sets.Select(set =>
                    {
                        var scores = PrintDetector.Scores(set.Patches);
                        var hidden = AskWithout(set.Pixels, ImageBatches.Rows(set.Patches), cut, cancel);
                        return set
                            .Columns.Select(
                                (column, i) =>
                                    new CaptionJudge.Evidence(
                                        scores[i],
                                        CaptionJudge.Margin(set.Logits[i], column, [column]),
                                        CaptionJudge.Margin(hidden[i], column, [column])
                                    )
                            )
                            .ToArray();
                    })
                    .ToArray();
                var separation = SalienceStatistics.Auroc(
                    [.. evidence[1].Select(e => (float)e.Remaining)],
                    [.. evidence[0].Select(e => (float)e.Remaining)]
                );
                return (Share: share, Cut: cut, Evidence: evidence, Separation: separation);
            })
            .ToArray();
        var best = tried.MaxBy(t => t.Separation);
        return (
            CaptionJudge.Learn(best.Evidence[0], [.. best.Evidence[1], .. best.Evidence[2]]),
            CaptionJudge.Learn(
                [.. best.Evidence[0].Select(e => PrintAlone(e.Print))],
                [.. best.Evidence[2].Select(e => PrintAlone(e.Print))]
            ),
            best.Cut,
            best.Share,
            best.Separation
        );
    }

    /// <summary>What is known of a picture where only the print counts.</summary>
    private static CaptionJudge.Evidence PrintAlone(double print) => new(print, 0, 0);

    /// <summary>Patches more like print than <paramref name="cut"/>, in their order; a quarter of the picture always stays.</summary>
    private static int[] Hidden(float[] odds, double cut) =>
        [
            .. Enumerable
                .Range(0, odds.Length)
                .Where(p => odds[p] > cut)
                .OrderByDescending(p => odds[p])
                .ThenBy(p => p)
                .Take(odds.Length * 3 / 4)
                .Order(),
        ];

    private List<Sight> Look(IReadOnlyList<ImageSource> pictures, PrintDetector detector, Action<int> looked, CancellationToken cancel)
    {
        var seen = new List<Sight>();
        var done = 0;
        foreach (var batch in pictures.Chunk(options.BatchSize))
        {
            cancel.ThrowIfCancellationRequested();
            looked(done);
            done += batch.Length;
            var readable = batch
                .AsParallel()
                .AsOrdered()
                .Select(p => (Source: p, Decoded: ImageDecoder.TryRead(p.Encoded, null, out var read, out _) ? read.ToRgb() : null))
                .Where(p => p.Decoded is not null)
                .ToArray();
            if (readable.Length == 0)
            {
                continue;
            }

            using var step = NewDisposeScope();
            var hooks = detector.Capture();
            var images = vision.Architecture.Family.Normalization.Apply(
                PixelLoader.Stack([.. readable.Select(p => p.Decoded!)], vision.Architecture.Preparation).to(device)
            );
            var logits = ImageBatches.Rows(vocabulary.Logits(vision.EncodeImage(images, hooks)));
            var patches = detector.Patches(hooks);
            var (scores, rows) = (PrintDetector.Scores(patches), ImageBatches.Rows(patches));
            seen.AddRange(
                readable.Select(
                    (p, i) => new Sight(p.Source, CaptionWords.Named(p.Source.Item, vocabulary.Names), logits[i], rows[i], scores[i])
                )
            );
        }

        return seen;
    }

    /// <summary>Logits of the vocabulary's words on pictures, uint8 [pictures, 3, R, R].</summary>
    private float[][] Ask(Tensor pixels, CancellationToken cancel)
    {
        var rows = new List<float[]>();
        ImageBatches.Each(pixels, vision.Architecture.Family.Normalization, options.BatchSize, device, cancel, images =>
            rows.AddRange(ImageBatches.Rows(vocabulary.Logits(vision.EncodeImage(images))))
        );
        return [.. rows];
    }

    /// <summary>
    /// The same without the patches that contain print: the tower is not shown them at all, which costs it less than any colour in their
    /// place. Pictures with about as many go together, the patches least like print first.
    /// </summary>
    /// <param name="patches">Log-odds of print of each picture's patches.</param>
    private float[][] AskWithout(Tensor pixels, IReadOnlyList<float[]> patches, double cut, CancellationToken cancel)
    {
        var (count, step) = (patches[0].Length, Math.Max(1, patches[0].Length / 16));
        // A quarter of the picture is always left to judge by.
        int Left(float[] odds) => Math.Max(count / 4, (count - odds.Count(o => o > cut)) / step * step);
        var rows = new float[patches.Count][];
        foreach (var group in Enumerable.Range(0, patches.Count).GroupBy(i => Math.Max(1, Left(patches[i]))))
        {
            foreach (var batch in group.Chunk(options.BatchSize))
            {
                cancel.ThrowIfCancellationRequested();
                using var scope = NewDisposeScope();
                var kept = tensor(
                        batch
                            .SelectMany(i => Enumerable.Range(0, count).OrderBy(p => patches[i][p]).ThenBy(p => p).Take(group.Key))
                            .Select(p => (long)p)
                            .ToArray()
                    )
                    .view(batch.Length, -1);
                var images = vision.Architecture.Family.Normalization.Apply(
                    pixels.index_select(0, tensor(batch.Select(i => (long)i).ToArray())).to(device)
                );
                var logits = ImageBatches.Rows(vocabulary.Logits(model.EncodeImage(images, null, kept.to(device))));
                for (var i = 0; i < batch.Length; i++)
                {
                    rows[batch[i]] = logits[i];
                }
            }
        }

        return rows;
    }

    private sealed record Sight(ImageSource Image, IReadOnlyList<int> Named, float[] Logits, float[] Patches, double Print);
}
