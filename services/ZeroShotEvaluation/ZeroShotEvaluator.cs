using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Generators;
using ClipSae.Clip.Preprocessing;
using ClipSae.Clip.Tokenizers;
using ClipSae.Results.Evaluation;
using ClipSae.ZeroShotEvaluation.Models;
using ClipSae.ZeroShotEvaluation.Scores;
using ClipSae.ZeroShotEvaluation.Sets;
using ClipSae.ZeroShotEvaluation.Settings;

namespace ClipSae.ZeroShotEvaluation;

/// <summary>
/// Scores models side by side on the same images (science, section 8). Images are decoded once, while the first model works; texts are
/// embedded once a model, or taken from the cache; one model at a time is in memory. The first model is the base that the others are
/// compared with.
/// </summary>
/// <param name="options">How to score.</param>
/// <param name="tokenizer">Of all models.</param>
/// <param name="tokenizerDigest">Digest of its file, for the cache's keys.</param>
/// <param name="cache">Keeps text embeddings; null keeps none.</param>
public sealed class ZeroShotEvaluator(
    EvaluationOptions options,
    ClipTokenizer tokenizer,
    string? tokenizerDigest = null,
    TextEmbeddingCache? cache = null
)
{
    /// <summary>Runs all models on all sets.</summary>
    /// <param name="models">The base first.</param>
    /// <param name="sets">Any of clean, attacked, words and retrieval sets.</param>
    /// <param name="scratch">Folder for pixels that memory does not hold.</param>
    /// <param name="progress">Called with the images done and in all (images × models).</param>
    /// <exception cref="UserErrorException">A model or set cannot be used, or there is one class only.</exception>
    public async Task<Evaluation> EvaluateAsync(
        IReadOnlyList<ModelUnderTest> models,
        IReadOnlyList<EvaluationSet> sets,
        string scratch,
        Action<long, long>? progress = null,
        CancellationToken cancel = default
    )
    {
        UserErrorException.ThrowIf(
            models.Count == 0 || sets.Count == 0,
            $"nothing to evaluate: {models.Count} models and {sets.Count} evaluation sets were given; at least one of each is needed"
        );

        var (preparation, activation, context) = SizesOf(models[0]);
        using var asked = EvaluationSets.Of(sets, options, preparation, models.Count > 1 ? scratch : null, cancel);
        using var prompts = models.Count > 1 ? new PromptStates(GeneratorPrompts.Default, tokenizer, context, activation) : null;
        var shown = Shown(models);
        var total = asked.Images * models.Count;
        long done = 0;
        var runs = new List<ModelRun>();
        try
        {
            foreach (var model in models)
            {
                runs.Add(
                    await RunAsync(
                        model,
                        asked,
                        shown.Contains(model),
                        preparation,
                        prompts,
                        scratch,
                        images => progress?.Invoke(done += images, total),
                        cancel
                    )
                );
            }

            return Gather(models, asked, runs, shown, preparation, prompts);
        }
        catch
        {
            runs.ForEach(run => run.Release());
            throw;
        }
    }

    /// <summary>What there is to say without sets: the models, and the tuned one by its validation score.</summary>
    /// <param name="models">The base first.</param>
    public Evaluation Unscored(IReadOnlyList<ModelUnderTest> models)
    {
        ModelScores[] metrics =
        [
            .. models.Select(model => new ModelScores(
                model.Name,
                model.Arm,
                model.Seed,
                model.Validation,
                new Dictionary<string, SetScores>(),
                new Dictionary<string, RetrievalScores>()
            )),
        ];
        var results = new EvaluationResults(
            models[0].Name,
            ChooseTuned(models)?.Name,
            [],
            options.PromptTemplates,
            options.Resamples,
            options.Seed,
            options.Probe?.Settings,
            [],
            metrics,
            ArmMeans.Of(metrics)
        );
        return new Evaluation(results, [], [], []);
    }

    /// <summary>
    /// The tuned model to show next to the base: the highest validation score in training, never a score on these sets; without such scores
    /// the second model. The base is a candidate too: null where no score exceeds its own. A random control is none: it is there to be
    /// compared with.
    /// </summary>
    public static ModelUnderTest? ChooseTuned(IReadOnlyList<ModelUnderTest> models) =>
        models
            .Skip(1)
            .Where(model => !model.IsBeatenByBase && !ArmName.IsControl(model.Arm))
            .OrderByDescending(model => model.Validation ?? double.NegativeInfinity)
            .FirstOrDefault();

    private List<ModelUnderTest> Shown(IReadOnlyList<ModelUnderTest> models)
    {
        var tuned = ChooseTuned(models);
        return [.. new[] { models[0], tuned }.OfType<ModelUnderTest>().Concat(models).Distinct().Take(options.ShownModels)];
    }

    private async Task<ModelRun> RunAsync(
        ModelUnderTest model,
        EvaluationSets asked,
        bool isShown,
        ImagePreparation preparation,
        PromptStates? prompts,
        string scratch,
        Action<int> embedded,
        CancellationToken cancel
    )
    {
        var keys = asked
            .Requests(options.PromptTemplates)
            .Select(request =>
                cache is null || model.Digest is null || tokenizerDigest is null
                    ? null
                    : TextEmbeddingCache.KeyOf(request, model.Digest, tokenizerDigest, options.Device)
            )
            .ToArray();
        var texts = new TextTable?[keys.Length];
        for (var i = 0; i < texts.Length; i++)
        {
            texts[i] = keys[i] is null ? null : await cache!.FindAsync(keys[i]!, cancel);
        }

        int[] missing = [.. Enumerable.Range(0, texts.Length).Where(place => texts[place] is null)];
        var seconds = new double[texts.Length];
        var run = new ModelRunner(options, tokenizer, asked, preparation, prompts).Run(model, isShown, texts, seconds, embedded, cancel);
        foreach (var place in missing.Where(place => keys[place] is not null))
        {
            await cache!.SaveAsync(keys[place]!, texts[place]!, seconds[place], scratch, cancel);
        }

        return run;
    }

    private Evaluation Gather(
        IReadOnlyList<ModelUnderTest> models,
        EvaluationSets asked,
        IReadOnlyList<ModelRun> runs,
        IReadOnlyList<ModelUnderTest> shown,
        ImagePreparation preparation,
        PromptStates? prompts
    )
    {
        var scoring = new Scoring(options.Resamples, options.Seed, options.CalibrationBins);
        var sets = asked.Questions.ToDictionary(
            question => question.Name,
            question => scoring.Score(question, runs),
            StringComparer.Ordinal
        );
        var retrieval = asked.Retrievals.ToDictionary(
            question => question.Name,
            question => scoring.Score(question, runs),
            StringComparer.Ordinal
        );
        ModelScores[] metrics =
        [
            .. runs.Select(
                (run, index) =>
                    new ModelScores(
                        run.Model.Name,
                        run.Model.Arm,
                        run.Model.Seed,
                        run.Model.Validation,
                        sets.ToDictionary(set => set.Key, set => set.Value[index], StringComparer.Ordinal),
                        retrieval.ToDictionary(set => set.Key, set => set.Value[index], StringComparer.Ordinal),
                        index == 0 ? null : TextStates(prompts, runs[0], run)
                    )
            ),
        ];
        var results = new EvaluationResults(
            models[0].Name,
            ChooseTuned(models)?.Name,
            asked.Classes,
            options.PromptTemplates,
            options.Resamples,
            options.Seed,
            options.Probe?.Settings,
            [.. asked.Questions.Select(Summary), .. asked.Retrievals.Select(Summary)],
            metrics,
            ArmMeans.Of(metrics)
        );
        ModelRun[] shownRuns = [.. shown.Select(model => runs.Single(run => run.Model == model))];
        Example[] examples =
            shownRuns.Length < 2
                ? []
                :
                [
                    .. asked.Questions.SelectMany(question =>
                        ExampleSelection.Choose(question, asked.Pixels(question.Name), shownRuns, preparation.Resolution, options.Examples)
                    ),
                ];
        return new Evaluation(results, examples, asked.Questions, runs);
    }

    private static SetSummary Summary(SetQuestion question) =>
        new(
            question.Name,
            question.Set.Protocol.Name,
            question.Right.Length,
            question.Set.Total + question.Set.Imported.Count,
            question.Classes,
            question.Candidates,
            0,
            question.Set.Words,
            question.Set.Fonts,
            question.Set.AllProblems
        );

    private static SetSummary Summary(RetrievalQuestion question) =>
        new(
            question.Name,
            question.Set.Protocol.Name,
            question.CaptionsOf.Length,
            question.Set.Total + question.Set.Imported.Count,
            0,
            [],
            question.Captions.Count,
            [],
            [],
            question.Set.AllProblems
        );

    // Of towers of one size alone is there a change.
    private static IReadOnlyList<TextStateChange>? TextStates(PromptStates? prompts, ModelRun basis, ModelRun run) =>
        prompts is not null
        && basis.Text is { } old
        && run.Text is { } @new
        && old.Architecture.TextWidth == @new.Architecture.TextWidth
        && old.Architecture.EmbedDim == @new.Architecture.EmbedDim
            ?
            [
                .. prompts
                    .Compare(old.States, @new.States)
                    .Select(change => new TextStateChange(
                        change.State,
                        HiddenStateChange.NameOf(change.Tokens),
                        change.Count,
                        change.MeanCosine,
                        change.MinCosine,
                        change.MeanNormRatio
                    )),
            ]
            : null;

    private static (ImagePreparation Preparation, MlpActivation Activation, int Context) SizesOf(ModelUnderTest model)
    {
        using var checkpoint = ClipCheckpoint.Open(model.Path, model.Name);
        var a = checkpoint.Architecture;
        return (a.Preparation, a.Activation, a.ContextLength);
    }
}
