using ClipSae.AttackCuration.Images;
using ClipSae.AttackCuration.Salience;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.Clip.Preprocessing;
using TorchSharp;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration.Tests;

public sealed class FeatureSurveyTests : IDisposable
{
    private const int Pairs = 14;
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly ClipModel _model = RandomClip.Create();
    private readonly WordPairs _pairs = RandomClip.Pairs(Pairs);

    public void Dispose()
    {
        _pairs.Dispose();
        _model.Dispose();
        _scope.Dispose();
    }

    [Theory]
    [InlineData("mlp@0")]
    [InlineData("residual@1")]
    [InlineData("cls@0")]
    [InlineData("image-embedding")]
    public void Scores_are_those_of_a_picture_by_picture_computation(string hook)
    {
        var at = RandomClip.Autoencoder(_model, HookPoint.Parse(hook));
        var survey = Survey(at);
        var (clean, word, control) = (Naive(at, _pairs.Clean), Naive(at, _pairs.Word), Naive(at, _pairs.Control));

        for (var f = 0; f < at.Sae.Latents; f++)
        {
            var score = survey.Scores[f];
            score.Feature.ShouldBe(f);
            survey.MeanActivation[f].ShouldBe((float)word[f].Average(), 1e-5f);
            ShouldBe(score.WordMinusClean, Standardised(word[f], clean[f]));
            ShouldBe(score.WordMinusControl, Standardised(word[f], control[f]));
            score.Auroc.ShouldBe(
                word[f]
                    .Average(a =>
                        clean[f]
                            .Average(b =>
                                a > b ? 1
                                : a == b ? 0.5
                                : 0
                            )
                    ),
                1e-9
            );
            score.Salience.ShouldBe(Math.Min(score.WordMinusClean, score.WordMinusControl));
        }
    }

    [Fact]
    public void Only_live_latents_are_ranked_the_most_salient_first()
    {
        var survey = Survey(RandomClip.Autoencoder(_model, new HookPoint.Cls(0), k: 2));
        var dead = survey.Scores.Where(s => survey.MeanActivation[s.Feature] == 0).Select(s => s.Feature).ToArray();

        dead.ShouldNotBeEmpty();
        survey.Ranked.Select(s => s.Feature).Intersect(dead).ShouldBeEmpty();
        survey.Ranked.Count.ShouldBe(48 - dead.Length);
        survey.Ranked.Zip(survey.Ranked.Skip(1)).ShouldAllBe(pair => pair.First.Salience >= pair.Second.Salience);
    }

    [Fact]
    public void Random_controls_are_as_many_and_none_of_the_chosen()
    {
        var survey = Survey(RandomClip.Autoencoder(_model, new HookPoint.Mlp(0)));
        var chosen = survey.Ranked.Take(7).Select(s => s.Feature).ToArray();
        var control = survey.MatchedRandom(chosen, 3, 0);

        control.Distinct().Count().ShouldBe(7);
        control.Intersect(chosen).ShouldBeEmpty();
        control.ShouldAllBe(f => survey.MeanActivation[f] > 0);
    }

    [Fact]
    public void Random_controls_fire_about_as_much()
    {
        var survey = Survey(RandomClip.Autoencoder(_model, new HookPoint.Mlp(0)));
        var byActivation = survey.Ranked.OrderBy(s => survey.MeanActivation[s.Feature]).Select(s => s.Feature).ToArray();
        int[][] sets = [byActivation[..4], byActivation[^4..], [.. byActivation.Skip(byActivation.Length / 2).Take(4)]];
        foreach (var chosen in sets)
        {
            for (var draw = 0; draw < 10; draw++)
            {
                // Each is one of the eight nearest among those left; at the ends, where neighbours are on one side alone and earlier draws
                // are gone, a little further.
                survey
                    .MatchedRandom(chosen, 3, draw)
                    .ShouldAllBe(f => chosen.Min(c => Math.Abs(Array.IndexOf(byActivation, f) - Array.IndexOf(byActivation, c))) <= 11);
            }
        }
    }

    [Fact]
    public void Random_controls_follow_from_seed_and_draw()
    {
        var survey = Survey(RandomClip.Autoencoder(_model, new HookPoint.Mlp(0)));
        var chosen = survey.Ranked.Take(7).Select(s => s.Feature).ToArray();

        survey.MatchedRandom([.. chosen.Reverse()], 3, 1).ShouldBe(survey.MatchedRandom(chosen, 3, 1));
        survey.MatchedRandom(chosen, 3, 2).ShouldNotBe(survey.MatchedRandom(chosen, 3, 1));
        survey.MatchedRandom(chosen, 4, 1).ShouldNotBe(survey.MatchedRandom(chosen, 3, 1));
    }

    private FeatureSurvey Survey(SaeAtHook at)
    {
        using var vision = VisionPlan.Compile(_model);
        return FeatureSurvey.Of(vision, at, _pairs, 5, CPU, CancellationToken.None);
    }

    /// <summary>[latents][pictures], one forward a picture.</summary>
    private double[][] Naive(SaeAtHook at, Tensor pixels)
    {
        using var noGrad = no_grad();
        var values = new double[at.Sae.Latents][];
        for (var f = 0; f < values.Length; f++)
        {
            values[f] = new double[Pairs];
        }

        for (var i = 0; i < Pairs; i++)
        {
            var hooks = new Hooks().Capture(at.Hook);
            _model.EncodeImage(PixelNormalization.OpenAi.Apply(pixels.narrow(0, i, 1)), hooks);
            var rows = hooks.Captured(at.Hook).reshape(-1, at.Sae.InputWidth);
            var latents = at.Sae.Encode(rows).data<float>().ToArray().Chunk(at.Sae.Latents).ToArray();
            for (var f = 0; f < values.Length; f++)
            {
                values[f][i] = latents.Average(row => row[f]);
            }
        }

        return values;
    }

    private static double Standardised(double[] first, double[] second)
    {
        var differences = first.Zip(second, (a, b) => a - b).ToArray();
        var mean = differences.Average();
        var spread = Math.Sqrt(differences.Sum(d => (d - mean) * (d - mean)) / (differences.Length - 1));
        return spread == 0 ? 0 : mean / spread;
    }

    private static void ShouldBe(double actual, double expected) => actual.ShouldBe(expected, 1e-3 * (1 + Math.Abs(expected)));
}
