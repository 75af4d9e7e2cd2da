using ClipSae.Results.Evaluation;
using ClipSae.ZeroShotEvaluation.Models;
using ClipSae.ZeroShotEvaluation.Sets;
using ClipSae.ZeroShotEvaluation.Statistics;

namespace ClipSae.ZeroShotEvaluation.Scores;

/// <summary>From answers to figures: all models of a set share the bootstrap's samples, so that differences are paired.</summary>
internal sealed class Scoring(int resamples, long seed, int calibrationBins)
{
    /// <summary>Figures of each model on a set, the first model being the base.</summary>
    public IReadOnlyList<SetScores> Score(SetQuestion question, IReadOnlyList<ModelRun> runs)
    {
        var answers = runs.Select(run => run.Answers[question.Name]).ToArray();
        var controls = runs.Select(run => runs.FirstOrDefault(other => other.Model.IsControlOf(run.Model))?.Answers[question.Name])
            .ToArray();
        SetAnswers? BaseFor(int model) => model == 0 ? null : answers[0];
        var figures = new FigureList();
        var places = answers
            .Select(
                (model, index) =>
                    new
                    {
                        Accuracy = figures.Add(model.Right),
                        Fooled = figures.Add(model.Fooled),
                        Binary = figures.Add(model.BinaryRight),
                        Margin = figures.Add(model.Margin),
                        LogLoss = figures.Add(model.LogLoss),
                        Brier = figures.Add(model.Brier),
                        Error = figures.Add(CalibrationError.Of(model.Right, model.Confidence, calibrationBins)),
                        OverBase = Gain.Of(figures, model, BaseFor(index)),
                        OverControl = Gain.Of(figures, model, controls[index]),
                    }
            )
            .ToArray();
        figures.Compute(resamples, seed);
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
                        figures[place.Accuracy]!,
                        perClass,
                        figures[place.Fooled],
                        figures[place.Binary],
                        figures[place.Margin],
                        new Calibration(calibrationBins, figures[place.Error]!, figures[place.LogLoss]!, figures[place.Brier]!),
                        runs[index].Gaps[question.Name],
                        probes[index],
                        place.OverBase.Compare(figures, model, BaseFor(index)),
                        place.OverControl.Compare(figures, model, controls[index]),
                        classes
                    );
                }
            ),
        ];
    }

    /// <summary>Figures of each model on a set of captioned images.</summary>
    public IReadOnlyList<RetrievalScores> Score(RetrievalQuestion question, IReadOnlyList<ModelRun> runs)
    {
        var figures = new FigureList();
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
                        Images = new[] { 1, 5, 10 }.Select(k => figures.Add(Images(k))).ToArray(),
                        Captions = new[] { 1, 5, 10 }.Select(k => figures.Add(MeanFigure.Ratio(Captions(k), captions))).ToArray(),
                        ImageGain = figures.AddGain(images, index == 0 ? null : firstImages),
                        CaptionGain = index == 0 ? null : figures.Add(MeanFigure.Ratio(Less(hits, firstCaptions), captions)),
                        McNemar = index == 0 ? null : McNemarTest.Compare(IsRight(firstImages), IsRight(images)),
                    };
                }
            )
            .ToArray();
        figures.Compute(resamples, seed);
        return
        [
            .. places.Select(
                (place, index) =>
                    new RetrievalScores(
                        Recall(place.Images),
                        Recall(place.Captions),
                        runs[index].Retrieval[question.Name].Gap,
                        runs[index].Retrieval[question.Name].CutCaptions,
                        figures[place.ImageGain],
                        figures[place.CaptionGain],
                        place.McNemar
                    )
            ),
        ];

        RecallScores Recall(int?[] at) => new(figures[at[0]]!, figures[at[1]]!, figures[at[2]]!);
    }

    private ProbeScores?[] Probes(string set, IReadOnlyList<ModelRun> runs)
    {
        var probes = runs.Select(run => run.Probes.GetValueOrDefault(set)).ToArray();
        var figures = new FigureList();
        var places = probes
            .Select(
                (probe, index) =>
                    (Accuracy: figures.Add(probe?.Right), Gain: figures.AddGain(probe?.Right, index == 0 ? null : probes[0]?.Right))
            )
            .ToArray();
        figures.Compute(resamples, seed);
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
                            figures[places[index].Accuracy]!,
                            places[index].Gain is null
                                ? null
                                : new Comparison(
                                    figures[places[index].Gain]!,
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

    /// <summary>Places of the differences between a model and another, none where there is no other.</summary>
    private sealed record Gain(int? Right, int? Fooled, int? Binary)
    {
        public static Gain Of(FigureList figures, SetAnswers model, SetAnswers? other) =>
            new(
                figures.AddGain(model.Right, other?.Right),
                figures.AddGain(model.Fooled, other?.Fooled),
                figures.AddGain(model.BinaryRight, other?.BinaryRight)
            );

        public Comparison? Compare(FigureList figures, SetAnswers model, SetAnswers? other) =>
            other is null
                ? null
                : new Comparison(
                    figures[Right]!,
                    McNemarTest.Compare(IsRight(other.Right), IsRight(model.Right)),
                    figures[Fooled],
                    figures[Binary],
                    model.BinaryRight is null ? null : McNemarTest.Compare(IsRight(other.BinaryRight!), IsRight(model.BinaryRight))
                );
    }

    /// <summary>Figures to bootstrap together, each found again by its place.</summary>
    private sealed class FigureList
    {
        private readonly List<MeanFigure> _figures = [];
        private IReadOnlyList<Interval> _intervals = [];

        public Interval? this[int? place] => place is null ? null : _intervals[place.Value];

        public int? Add(float[]? column) => column is null ? null : Add(MeanFigure.Of(column));

        public int? Add(MeanFigure figure)
        {
            _figures.Add(figure);
            return _figures.Count - 1;
        }

        public int? AddGain(float[]? column, float[]? reference) =>
            column is null || reference is null ? null : Add(Less(column, reference));

        public void Compute(int resamples, long seed) => _intervals = Bootstrap.Intervals(_figures, resamples, seed);
    }
}
