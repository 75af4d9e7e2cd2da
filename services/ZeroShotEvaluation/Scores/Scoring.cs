using ClipSae.Results.Evaluation;
using ClipSae.ZeroShotEvaluation.Models;
using ClipSae.ZeroShotEvaluation.Sets;
using ClipSae.ZeroShotEvaluation.Statistics;

namespace ClipSae.ZeroShotEvaluation.Scores;

/// <summary>From answers to statistics: all models of a set share the bootstrap's samples, so that differences are paired.</summary>
internal sealed class Scoring(int resamples, long seed, int calibrationBins)
{
    /// <summary>Statistics of each model on a set, the first model being the base.</summary>
    public IReadOnlyList<SetScores> Score(SetQuestion question, IReadOnlyList<ModelRun> runs)
    {
        var answers = runs.Select(run => run.Answers[question.Name]).ToArray();
        var controls = runs.Select(run => runs.FirstOrDefault(other => other.Model.IsControlOf(run.Model))?.Answers[question.Name])
            .ToArray();
        SetAnswers? BaseFor(int model) => model == 0 ? null : answers[0];
        var statistics = new StatisticList();
        var places = answers
            .Select(
                (model, index) =>
                    new
                    {
                        Accuracy = statistics.Add(model.Right),
                        Fooled = statistics.Add(model.Fooled),
                        Binary = statistics.Add(model.BinaryRight),
                        Margin = statistics.Add(model.Margin),
                        LogLoss = statistics.Add(model.LogLoss),
                        Brier = statistics.Add(model.Brier),
                        Error = statistics.Add(CalibrationError.Of(model.Right, model.Confidence, calibrationBins)),
                        OverBase = Gain.Of(statistics, model, BaseFor(index)),
                        OverControl = Gain.Of(statistics, model, controls[index]),
                    }
            )
            .ToArray();
        statistics.Compute(resamples, seed);
        var probes = Probes(question.Name, runs);
        var byClass = ClassBootstrap.Intervals(
            question.Candidates,
            question.Right,
            [.. answers.Select(model => model.Right)],
            resamples,
            seed
        );
        return
        [
            .. answers.Select(
                (model, index) =>
                {
                    var place = places[index];
                    var (perClass, classes) = byClass[index];
                    return new SetScores(
                        statistics[place.Accuracy]!,
                        perClass,
                        statistics[place.Fooled],
                        statistics[place.Binary],
                        statistics[place.Margin],
                        new Calibration(calibrationBins, statistics[place.Error]!, statistics[place.LogLoss]!, statistics[place.Brier]!),
                        runs[index].Gaps[question.Name],
                        probes[index],
                        place.OverBase.Compare(statistics, model, BaseFor(index)),
                        place.OverControl.Compare(statistics, model, controls[index]),
                        classes
                    );
                }
            ),
        ];
    }

    /// <summary>Statistics of each model on a set of captioned images.</summary>
    public IReadOnlyList<RetrievalScores> Score(RetrievalQuestion question, IReadOnlyList<ModelRun> runs)
    {
        var statistics = new StatisticList();
        var owner = Owners(question);
        var captions = Totals(question.CaptionsOf.Length, owner, _ => 1);
        var (firstImages, firstCaptions) = (Array.Empty<float>(), Array.Empty<float>());
        var places = runs.Select(
                (run, index) =>
                {
                    var ranks = run.Retrieval[question.Name];
                    float[] Images(int k) => [.. ranks.ImageRanks.Select(rank => rank < k ? 1f : 0f)];
                    float[] Captions(int k) =>
                        Totals(question.CaptionsOf.Length, owner, caption => ranks.CaptionRanks[caption] < k ? 1 : 0);
                    var (images, hits) = (Images(1), Captions(1));
                    (firstImages, firstCaptions) = index == 0 ? (images, hits) : (firstImages, firstCaptions);
                    return new
                    {
                        Images = new[] { 1, 5, 10 }.Select(k => statistics.Add(Images(k))).ToArray(),
                        Captions = new[] { 1, 5, 10 }.Select(k => statistics.Add(MeanStatistic.Ratio(Captions(k), captions))).ToArray(),
                        ImageGain = statistics.AddGain(images, index == 0 ? null : firstImages),
                        CaptionGain = index == 0 ? null : statistics.Add(MeanStatistic.Ratio(Less(hits, firstCaptions), captions)),
                        McNemar = index == 0 ? null : McNemarTest.Compare(IsRight(firstImages), IsRight(images)),
                    };
                }
            )
            .ToArray();
        statistics.Compute(resamples, seed);
        return
        [
            .. places.Select(
                (place, index) =>
                    new RetrievalScores(
                        Recall(place.Images),
                        Recall(place.Captions),
                        runs[index].Retrieval[question.Name].Gap,
                        runs[index].Retrieval[question.Name].CutCaptions,
                        statistics[place.ImageGain],
                        statistics[place.CaptionGain],
                        place.McNemar
                    )
            ),
        ];

        RecallScores Recall(int?[] at) => new(statistics[at[0]]!, statistics[at[1]]!, statistics[at[2]]!);
    }

    private ProbeScores?[] Probes(string set, IReadOnlyList<ModelRun> runs)
    {
        var probes = runs.Select(run => run.Probes.GetValueOrDefault(set)).ToArray();
        var statistics = new StatisticList();
        var places = probes
            .Select(
                (probe, index) =>
                    (Accuracy: statistics.Add(probe?.Right), Gain: statistics.AddGain(probe?.Right, index == 0 ? null : probes[0]?.Right))
            )
            .ToArray();
        statistics.Compute(resamples, seed);
        return
        [
            .. probes.Select(
                (probe, index) =>
                    probe is null
                        ? null
                        : new ProbeScores(
                            probe.Train,
                            probe.Right.Length,
                            probe.Iterations,
                            probe.Converged,
                            statistics[places[index].Accuracy]!,
                            places[index].Gain is null
                                ? null
                                : new Comparison(
                                    statistics[places[index].Gain]!,
                                    McNemarTest.Compare(IsRight(probes[0]!.Right), IsRight(probe.Right))
                                )
                        )
            ),
        ];
    }

    // The image with which a caption is drawn in a resample: the first that carries it; -1 for a caption without images.
    private static int[] Owners(RetrievalQuestion question) =>
        [.. question.ImagesOf().Select(images => images.Length > 0 ? images[0] : -1)];

    private static float[] Totals(int images, int[] owner, Func<int, int> value)
    {
        var totals = new float[images];
        for (var caption = 0; caption < owner.Length; caption++)
        {
            if (owner[caption] >= 0)
            {
                totals[owner[caption]] += value(caption);
            }
        }

        return totals;
    }

    private static bool[] IsRight(float[] right) => [.. right.Select(value => value > 0)];

    private static float[] Less(float[] values, float[] reference) => [.. values.Zip(reference, (value, other) => value - other)];

    /// <summary>Places of the differences between a model and another, none if there is no other.</summary>
    private sealed record Gain(int? Right, int? Fooled, int? Binary)
    {
        public static Gain Of(StatisticList statistics, SetAnswers model, SetAnswers? other) =>
            new(
                statistics.AddGain(model.Right, other?.Right),
                statistics.AddGain(model.Fooled, other?.Fooled),
                statistics.AddGain(model.BinaryRight, other?.BinaryRight)
            );

        public Comparison? Compare(StatisticList statistics, SetAnswers model, SetAnswers? other) =>
            other is null
                ? null
                : new Comparison(
                    statistics[Right]!,
                    McNemarTest.Compare(IsRight(other.Right), IsRight(model.Right)),
                    statistics[Fooled],
                    statistics[Binary],
                    model.BinaryRight is null ? null : McNemarTest.Compare(IsRight(other.BinaryRight!), IsRight(model.BinaryRight))
                );
    }

    /// <summary>Statistics to bootstrap together, each found again by its place.</summary>
    private sealed class StatisticList
    {
        private readonly List<MeanStatistic> _statistics = [];
        private IReadOnlyList<Interval> _intervals = [];

        public Interval? this[int? place] => place is null ? null : _intervals[place.Value];

        public int? Add(float[]? column) => column is null ? null : Add(MeanStatistic.Of(column));

        public int? Add(MeanStatistic statistic)
        {
            _statistics.Add(statistic);
            return _statistics.Count - 1;
        }

        public int? AddGain(float[]? column, float[]? reference) =>
            column is null || reference is null ? null : Add(Less(column, reference));

        public void Compute(int resamples, long seed) => _intervals = Bootstrap.Intervals(_statistics, resamples, seed);
    }
}
