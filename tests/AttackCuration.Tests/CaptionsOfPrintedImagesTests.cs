using ClipSae.AttackCuration.Hygiene;
using ClipSae.AttackCuration.Images;
using ClipSae.AttackCuration.Salience;
using ClipSae.AttackCuration.Settings;
using ClipSae.Datasets;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using ClipSae.Results.Curation;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration.Tests;

/// <summary>
/// The whole check on a model whose reading was written by hand: red pictures are cats, green ones dogs, stripes say "cat" or "dog" over
/// the colour.
/// </summary>
public sealed class CaptionsOfPrintedImagesTests : IDisposable
{
    private const int Side = PlantedReader.Resolution;
    private const int Patch = 8;
    private static readonly string[] Names = ["cat", "dog"];

    private readonly PlantedReader _reader = new();
    private readonly AttackCurationOptions _options = new() { BatchSize = 16 };
    private readonly OwnPrint _print = Draw();

    public void Dispose()
    {
        _print.Dispose();
        _reader.Dispose();
    }

    [Fact]
    public void A_foreign_word_that_the_caption_repeats_is_found_and_a_carton_that_says_what_it_is_stays()
    {
        var pictures = Pictures();
        var result = Find(pictures, _print);

        result
            .Found.Select(finding => finding.Image.Item.Id)
            .ShouldBe(pictures.Select(p => p.Item.Id).Where(id => id.StartsWith("foreign/", StringComparison.Ordinal)), ignoreOrder: true);
        result.Found.ShouldAllBe(finding => finding.Image.Item.Captions[0].EndsWith(finding.Word, StringComparison.Ordinal));
        // With the print the model names the caption's word, without it the other.
        result.Found.ShouldAllBe(finding => finding.Evidence.Margin > 0 && finding.Evidence.Remaining < 0);
        result.Images.ShouldBe(60);
        result.Share.ShouldBe(0.2, 0.05);
    }

    [Fact]
    public void Nothing_is_found_where_the_answers_do_not_distinguish_wrong_words_from_own_names()
    {
        // Every picture counts as what it is not: without print the model names the wrong word.
        using var confused = _print with { Words = _print.Labels, Labels = _print.Words };
        var result = Find(Pictures(), confused);

        result.Separation.ShouldBeLessThan(0.5);
        result.Examined.ShouldBeGreaterThan(0);
        result.Found.ShouldBeEmpty();
    }

    [Fact]
    public void Print_is_found_where_it_is_by_the_features_that_read_it_and_less_well_by_others()
    {
        using var detector = PrintDetector.Fit(_reader.Vision, [Row(_reader.AtNeurons)], _print, _options, CPU, CancellationToken.None);
        using var patches = detector.PatchesOf(_print.Wrong, CancellationToken.None);

        detector.Auroc.ShouldBeGreaterThan(0.95);
        detector.RandomAuroc.ShouldBeLessThan(detector.Auroc);
        patches.argmax(1).data<long>().ShouldAllBe(place => place == 5);
    }

    [Fact]
    public void Without_an_SAE_that_sees_patches_the_way_out_is_named()
    {
        var row = Row(_reader.AtNeurons);
        var cls = row with { Hook = new SaeAtHook("cls@0", new Clip.Architecture.HookPoint.Cls(0), _reader.AtResidual.Sae) };

        Should
            .Throw<UserErrorException>(() =>
                PrintDetector.Fit(_reader.Vision, [cls], _print, _options, CPU, CancellationToken.None).Dispose()
            )
            .Message.ShouldBe(
                "curation.captionHygiene: it finds print patch by patch, which no SAE here can (cls@0); "
                    + "add residual@L or mlp@L to extraction.hookPoints, or set curation.captionHygiene=keep"
            );
    }

    private CaptionCheck.Result Find(IReadOnlyList<ImageSource> pictures, OwnPrint print)
    {
        using var detector = PrintDetector.Fit(_reader.Vision, [Row(_reader.AtNeurons)], print, _options, CPU, CancellationToken.None);
        return new CaptionCheck(_reader.Model, _reader.Vision, _reader.Classifier, _options, CPU).Find(
            pictures,
            detector,
            print,
            (_, _) => { },
            CancellationToken.None
        );
    }

    private static ImageSource[] Pictures() =>
        [
            .. Enumerable
                .Range(0, 60)
                .Select(i =>
                    (i % 5) switch
                    {
                        0 => Picture($"foreign/{i}", i % 2, printed: 1 - (i % 2), caption: 1 - (i % 2), i),
                        1 => Picture($"own/{i}", i % 2, printed: i % 2, caption: i % 2, i),
                        _ => Picture($"plain/{i}", i % 2, printed: null, caption: i % 2, i),
                    }
                ),
        ];

    private CausalSweep.Row Row(SaeAtHook at)
    {
        using var pairs = PlantedReader.Draw();
        var survey = FeatureSurvey.Of(_reader.Vision, at, pairs, 16, CPU, CancellationToken.None);
        var accuracy = new AttackAccuracy(1, 1, 0);
        return new CausalSweep.Row(
            at,
            survey,
            0.15,
            [.. PlantedReader.ReadingNeurons.Select(n => survey.Scores[n])],
            accuracy,
            accuracy,
            [accuracy]
        );
    }

    private static OwnPrint Draw()
    {
        using var scope = NewDisposeScope();
        const int count = 32;
        Tensor Stack(Func<int, int?> printed) =>
            stack([.. Enumerable.Range(0, count).Select(i => tensor(Pixels(i % 2, printed(i), i)).view(Side, Side, 3).permute(2, 0, 1))])
                .contiguous();
        var covered = zeros(count, 16);
        covered.select(1, 5).fill_(1);
        return new OwnPrint(
            Stack(_ => null).DetachFromDisposeScope(),
            Stack(i => 1 - (i % 2)).DetachFromDisposeScope(),
            Stack(i => i % 2).DetachFromDisposeScope(),
            covered.DetachFromDisposeScope(),
            [.. Enumerable.Range(0, count).Select(i => Names[1 - (i % 2)])],
            [.. Enumerable.Range(0, count).Select(i => Names[i % 2])],
            [.. Enumerable.Range(0, count).Select(i => i / 2 % 2)]
        );
    }

    private static ImageSource Picture(string id, int shown, int? printed, int caption, int index) =>
        new(
            new DatasetItem(id, [$"a photo of a {Names[caption]}"]),
            PngEncoder.Encode(new RgbImage(Side, Side, Pixels(shown, printed, index))),
            Names[caption]
        );

    /// <summary>A colour, and in the patch of row and column 1 stripes that say a word.</summary>
    private static byte[] Pixels(int shown, int? printed, int index)
    {
        var rgb = new byte[Side * Side * 3];
        for (var y = 0; y < Side; y++)
        {
            for (var x = 0; x < Side; x++)
            {
                var isPrint = printed is not null && x / Patch == 1 && y / Patch == 1;
                for (var channel = 0; channel < 3; channel++)
                {
                    var colour = channel == shown ? 170 + index : 0;
                    rgb[(((y * Side) + x) * 3) + channel] = (byte)(
                        !isPrint ? colour
                        : (printed == 0 ? x : y) % 2 == 0 ? 255
                        : 0
                    );
                }
            }
        }

        return rgb;
    }
}
