using ClipSae.AttackCuration.Salience;
using ClipSae.Clip.Model;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration.Hygiene;

/// <summary>Activations of some features on the patches of curation's own print, with and without it.</summary>
internal sealed class PatchExamples
{
    /// <summary>Most features that are listened to, over all SAEs; more cost time and are no better.</summary>
    public const int MaxFeatures = 384;

    /// <summary>Share of a patch's pixels from which on it counts as printed on; patches with less count as neither.</summary>
    private const double Printed = 0.3;

    private readonly OwnPrint _print;
    private readonly Tensor _clean;
    private readonly Tensor _wrong;
    private readonly float[] _covered;
    private readonly int _patches;

    private PatchExamples(OwnPrint print, Tensor clean, Tensor wrong)
    {
        (_print, _clean, _wrong) = (print, clean, wrong);
        _covered = print.Covered.flatten().data<float>().ToArray();
        _patches = _covered.Length / print.Count;
    }

    /// <summary>
    /// Pictures of every second family of print, or every second picture if there is one family alone: the others are for measuring.
    /// </summary>
    public static IEnumerable<int> Learned(OwnPrint print)
    {
        int[] families = [.. print.Families.Distinct().Order()];
        return Enumerable
            .Range(0, print.Count)
            .Where(i => (families.Length == 1 ? i : Array.IndexOf(families, print.Families[i])) % 2 == 0);
    }

    /// <summary>Whether patches of which this share was changed count as printed on.</summary>
    public static Tensor IsPrinted(Tensor share) => share.IsAbove(Printed);

    /// <summary>Both sets of features in the same passes.</summary>
    /// <param name="each">Runs the tower over pictures, uint8 [pictures, 3, R, R], and shows what was captured batch by batch.</param>
    public static (PatchExamples Salient, PatchExamples Random) Of(
        IReadOnlyList<PrintDetector.Listened> salient,
        IReadOnlyList<PrintDetector.Listened> random,
        OwnPrint print,
        Action<Tensor, Action<Hooks>> each
    )
    {
        (Tensor Salient, Tensor Random) Both(Tensor pixels)
        {
            var (first, second) = (new List<Tensor>(), new List<Tensor>());
            each(pixels, hooks =>
            {
                first.Add(PrintDetector.Latents(salient, hooks).MoveToOuterDisposeScope());
                second.Add(PrintDetector.Latents(random, hooks).MoveToOuterDisposeScope());
            });
            return (cat(first), cat(second));
        }

        var (clean, wrong) = (Both(print.Clean), Both(print.Wrong));
        return (new PatchExamples(print, clean.Salient, wrong.Salient), new PatchExamples(print, clean.Random, wrong.Random));
    }

    /// <summary>A regression learned from all families.</summary>
    public LogisticRegression Learn() => Learn(_ => true);

    /// <summary>How well one that was learned from every second family distinguishes printed from other patches of the others.</summary>
    public double AurocOnOtherFamilies()
    {
        using var scope = NewDisposeScope();
        var learned = Learned(_print).ToHashSet();
        bool IsLearned(int picture) => learned.Contains(picture);
        using var model = Learn(IsLearned);
        var odds = Smoothed(model.LogOdds(_wrong).view(_print.Count, -1)).flatten().cpu().data<float>().ToArray();
        long[] unseen = [.. Where(i => !IsLearned(i / _patches))];
        float[] Of(Func<float, bool> covered) => [.. unseen.Where(i => covered(_covered[i])).Select(i => odds[i])];
        return SalienceStatistics.Auroc(Of(share => share > Printed), Of(share => share == 0));
    }

    /// <summary>Print covers patches side by side: each takes half of its neighbourhood's mean.</summary>
    /// <param name="odds">[pictures, patches].</param>
    public static Tensor Smoothed(Tensor odds)
    {
        using var scope = NewDisposeScope();
        var grid = (long)Math.Round(Math.Sqrt(odds.shape[1]));
        var map = odds.view(-1, 1, grid, grid);
        return map.Plus(nn.functional.avg_pool2d(map, 3, 1, 1, count_include_pad: false)).Over(2).flatten(1).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Learns twice: the second time without the half of the pictures on which most print is found, since some of them contain print of
    /// their own that counts as none.
    /// </summary>
    private LogisticRegression Learn(Func<int, bool> isLearned)
    {
        using var scope = NewDisposeScope();
        var ground = Enumerable.Range(0, _print.Count).ToHashSet();
        LogisticRegression? model = null;
        for (var round = 0; round < 2; round++)
        {
            long[] printed = [.. Where(i => isLearned(i / _patches) && _covered[i] > Printed)];
            long[] beside = [.. Where(i => isLearned(i / _patches) && _covered[i] == 0 && ground.Contains(i / _patches))];
            long[] without = [.. Where(i => ground.Contains(i / _patches))];
            Tensor Rows(Tensor latents, long[] rows) => latents.index_select(0, tensor(rows, device: latents.device));
            model?.Dispose();
            model = LogisticRegression.Fit(
                cat([Rows(_wrong, printed), Rows(_wrong, beside), Rows(_clean, without)]),
                [.. printed.Select(_ => true), .. beside.Concat(without).Select(_ => false)]
            );
            var scores = PrintDetector.Scores(Smoothed(model.LogOdds(_clean).view(_print.Count, -1)).cpu());
            ground = [.. Enumerable.Range(0, _print.Count).OrderBy(i => scores[i]).ThenBy(i => i).Take((_print.Count + 1) / 2)];
        }

        return model!;
    }

    private IEnumerable<long> Where(Func<int, bool> holds) => Enumerable.Range(0, _covered.Length).Where(holds).Select(i => (long)i);
}
