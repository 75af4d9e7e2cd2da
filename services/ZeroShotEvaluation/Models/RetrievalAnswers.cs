using ClipSae.Results.Evaluation;
using ClipSae.ZeroShotEvaluation.Sets;
using TorchSharp;

namespace ClipSae.ZeroShotEvaluation.Models;

/// <summary>Where the right captions of images and the right images of captions rank.</summary>
/// <param name="ImageRanks">For each image, how many wrong captions come before its best own one.</param>
/// <param name="CaptionRanks">For each caption that has an image, how many wrong images come before its best own one; −1 for
/// others.</param>
/// <param name="Gap">The modality gap.</param>
/// <param name="CutCaptions">Captions that were longer than the model's context.</param>
internal sealed record RetrievalAnswers(int[] ImageRanks, int[] CaptionRanks, Interval Gap, int CutCaptions)
{
    private const int MaxCosines = 1 << 24;

    /// <summary>Ranks what a model gives.</summary>
    /// <param name="images">Unit rows [images, embed].</param>
    /// <param name="captions">Unit rows [captions, embed].</param>
    public static RetrievalAnswers Of(RetrievalQuestion question, torch.Tensor images, torch.Tensor captions, Interval gap, int cut) =>
        new(Ranks(images, captions, question.CaptionsOf), Ranks(captions, images, question.ImagesOf()), gap, cut);

    // A wrong answer as near as the right one counts as before it, so that a model that cannot distinguish anything is not called right.
    private static int[] Ranks(torch.Tensor queries, torch.Tensor answers, int[][] right)
    {
        var ranks = new int[right.Length];
        var width = (int)answers.shape[0];
        var batch = Math.Clamp(MaxCosines / width, 1, 1024);
        for (var first = 0; first < right.Length; first += batch)
        {
            using var scope = torch.NewDisposeScope();
            var rows = Math.Min(batch, right.Length - first);
            var cosines = queries.narrow(0, first, rows).matmul(answers.t()).data<float>().ToArray();
            var start = first;
            Parallel.For(0, rows, row => ranks[start + row] = Rank(cosines.AsSpan(row * width, width), right[start + row]));
        }

        return ranks;
    }

    private static int Rank(ReadOnlySpan<float> cosines, int[] right)
    {
        if (right.Length == 0)
        {
            return -1;
        }

        var best = float.NegativeInfinity;
        foreach (var answer in right)
        {
            best = Math.Max(best, cosines[answer]);
        }

        var before = 0;
        foreach (var cosine in cosines)
        {
            before += cosine >= best ? 1 : 0;
        }

        foreach (var answer in right)
        {
            before -= cosines[answer] >= best ? 1 : 0;
        }

        return before;
    }
}
