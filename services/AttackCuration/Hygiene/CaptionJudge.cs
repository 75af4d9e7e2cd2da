using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration.Hygiene;

/// <summary>
/// Says whether a caption's word stands for the print or for the object, from three figures of a picture: how much is printed, by how much
/// the model names the word, and by how much with the print hidden. Learned from curation's own print: wrong words against own names and no
/// print.
/// </summary>
public sealed class CaptionJudge : IDisposable
{
    /// <summary>What is known of a picture and a word of its caption.</summary>
    /// <param name="Print">How much is printed, <see cref="PrintDetector.Scores"/>.</param>
    /// <param name="Margin">Logit of the word less the largest of the words that the caption does not name.</param>
    /// <param name="Remaining">The same with the print hidden.</param>
    public readonly record struct Evidence(double Print, double Margin, double Remaining);

    /// <summary>Rounds in which the share of repeating captions settles.</summary>
    private const int Rounds = 50;

    private readonly LogisticRegression _model;

    private CaptionJudge(LogisticRegression model) => _model = model;

    public static CaptionJudge Learn(IReadOnlyList<Evidence> repeating, IReadOnlyList<Evidence> honest)
    {
        using var inputs = Inputs([.. repeating, .. honest]);
        return new CaptionJudge(LogisticRegression.FitMonotone(inputs, [.. repeating.Select(_ => true), .. honest.Select(_ => false)]));
    }

    /// <summary>
    /// Probability of each picture that its caption repeats the print. How many do is not known beforehand: the share is the one under
    /// which the probabilities have it as their mean (expectation-maximisation; Saerens, Latinne and Decaestecker 2002).
    /// </summary>
    /// <param name="others">Pictures that were not looked at, as they bear no print.</param>
    public (double[] Probabilities, double Share) Judge(IReadOnlyList<Evidence> pictures, int others)
    {
        if (pictures.Count == 0)
        {
            return ([], 0);
        }

        using var inputs = Inputs(pictures);
        using var odds = _model.LogOdds(inputs);
        double[] likelihood = [.. odds.data<float>().ToArray().Select(value => Math.Exp(Math.Clamp(value, -30, 30)))];
        double Posterior(double ratio, double share) => ratio * share / ((ratio * share) + 1 - share);
        var share = 0.5;
        for (var round = 0; round < Rounds; round++)
        {
            share = likelihood.Sum(ratio => Posterior(ratio, share)) / (pictures.Count + others);
        }

        return ([.. likelihood.Select(ratio => Posterior(ratio, share))], share);
    }

    /// <summary>
    /// By how much a model names one of a caption's words: its logit less the largest of the words that the caption does not name.
    /// </summary>
    /// <param name="named">The caption's words, among them <paramref name="word"/>.</param>
    public static double Margin(float[] logits, int word, IReadOnlyList<int> named) =>
        logits[word] - logits.Where((_, other) => !named.Contains(other)).DefaultIfEmpty(logits[word]).Max();

    public void Dispose() => _model.Dispose();

    // Each the larger, the more the caption is in doubt: how much is printed, how much less the word is named without the print, and how
    // little it is named then. Curation's own print may be read less well than the data set's: it decides how much each counts, but not
    // which way.
    private static Tensor Inputs(IReadOnlyList<Evidence> cases) =>
        AlignedTensor.Of(
            [.. cases.SelectMany(c => new[] { (float)c.Print, (float)(c.Margin - c.Remaining), (float)-c.Remaining })],
            cases.Count,
            3
        );
}
