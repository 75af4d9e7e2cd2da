using ClipSae.Artifacts;
using ClipSae.Clip.Tokenizers;
using ClipSae.WeightConversion;
using ClipSae.WeightConversion.Weights;
using ClipSae.ZeroShotEvaluation;
using ClipSae.ZeroShotEvaluation.Models;
using ClipSae.ZeroShotEvaluation.Sets;
using ClipSae.ZeroShotEvaluation.Settings;

namespace ClipSae.Cli.Sweeping;

/// <summary>
/// Scores the models between a base and a tuned one (WiSE-FT, arXiv 2109.01903), one at a time in memory, and chooses one.
/// </summary>
/// <param name="from">The checkpoint before fine-tuning.</param>
/// <param name="to">The fine-tuned checkpoint.</param>
/// <param name="alphas">Shares of the tuned model in rising order, with 0 and 1.</param>
/// <param name="temporary">Where models go that are not kept.</param>
internal sealed class AlphaSweep(ConversionSource from, ConversionSource to, IReadOnlyList<double> alphas, ProcessScratch temporary)
{
    /// <summary>Scores every model on every set.</summary>
    /// <param name="folder">Where models that are kept go.</param>
    /// <param name="keep">Whether every model stays as a file.</param>
    /// <param name="progress">Called with images done and in all.</param>
    /// <exception cref="UserErrorException">The models are not of one architecture, a set cannot be scored, or none of those that choose is
    /// clean, or attacked.</exception>
    public async Task<AlphaSweepResult> RunAsync(
        IReadOnlyList<SweepSet> sets,
        EvaluationOptions options,
        ClipTokenizer tokenizer,
        AlphaRule rule,
        string folder,
        bool keep,
        Action<long, long> progress,
        CancellationToken cancel
    )
    {
        WeightInterpolation.Check(from, to);
        if (sets.FirstOrDefault(set => EvaluationProtocol.IsRetrieval(set.Set.Name)) is { } captioned)
        {
            throw new UserErrorException(
                $"set {captioned.Name} is one of captions, but the sweep chooses by accuracy: "
                    + "leave it out, and score the chosen model on it with 'clipsae evaluate'"
            );
        }

        AlphaSweepResult.RequireBothKinds([
            .. sets.Where(set => set.Chooses).Select(set => (set.Name, EvaluationProtocol.Of(set.Set, cancel).Name)),
        ]);
        var scratch = temporary.NewFolder();
        try
        {
            // Base and tuned are scored as they are; what is between them is mixed.
            ModelUnderTest[] models =
            [
                .. alphas.Select(alpha =>
                    alpha switch
                    {
                        0 => new ModelUnderTest(ModelUnderTest.BaseName, from.Path),
                        1 => new ModelUnderTest("tuned", to.Path),
                        _ => new InterpolatedModel(
                            from,
                            to,
                            alpha,
                            Path.Combine(keep ? folder : scratch, WeightInterpolation.FileName(alpha)),
                            keep
                        ),
                    }
                ),
            ];
            using var evaluation = await new ZeroShotEvaluator(options with { Examples = 0 }, tokenizer).EvaluateAsync(
                models,
                [.. sets.Select(set => set.Set)],
                scratch,
                progress,
                cancel
            );
            return AlphaSweepResult.Of(alphas, sets, evaluation.Results, rule);
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }
}
