using ClipSae.Clip;
using ClipSae.Contracts;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.ZeroShotEvaluation;

/// <summary>
/// Scores models side by side on the same images (science, section 8). Images are decoded once, texts are embedded once a model, and one model
/// at a time is in memory. The first model is the base that the others are compared with.
/// </summary>
public sealed class ZeroShotEvaluator(EvaluationOptions options, ClipTokenizer tokenizer)
{
    /// <summary>Runs all models on all sets.</summary>
    /// <param name="models">The base first.</param>
    /// <param name="sets">Any of clean, attacked and words sets.</param>
    /// <param name="scratch">Folder for pixels that memory does not hold.</param>
    /// <param name="progress">Called with the images done and in all (images × models).</param>
    /// <exception cref="UserErrorException">A model or set cannot be used, or there is one class only.</exception>
    public Evaluation Evaluate(
        IReadOnlyList<ModelUnderTest> models, IReadOnlyList<EvaluationSet> sets, string scratch, Action<long, long>? progress = null, CancellationToken cancel = default)
    {
        if (models.Count == 0 || sets.Count == 0)
        {
            throw new UserErrorException($"nothing to evaluate: {models.Count} models and {sets.Count} evaluation sets were given; at least one of each is needed");
        }

        var resolution = ResolutionOf(models[0]);
        var loaded = new List<LoadedSet>();
        try
        {
            foreach (var set in sets)
            {
                loaded.Add(SetLoader.Load(set, resolution, options, scratch, cancel));
            }

            return Evaluate(models, loaded, resolution, progress, cancel);
        }
        finally
        {
            loaded.ForEach(set => set.Dispose());
        }
    }

    /// <summary>The tuned model to show beside the base: the highest validation score in training, never a score on these sets.</summary>
    public static ModelUnderTest? ChooseTuned(IReadOnlyList<ModelUnderTest> models) => models.Skip(1)
        .OrderByDescending(model => model.Validation ?? double.NegativeInfinity).ThenBy(model => model.Name, StringComparer.Ordinal).FirstOrDefault();

    private Evaluation Evaluate(
        IReadOnlyList<ModelUnderTest> models, IReadOnlyList<LoadedSet> sets, int resolution, Action<long, long>? progress, CancellationToken cancel)
    {
        var classes = SetQuestion.Classes(options.Classes, sets);
        SetQuestion[] questions = [.. sets.Select(set => SetQuestion.Ask(set, classes, options.MaxProblemShare))];
        var tuned = ChooseTuned(models);
        var total = questions.Sum(question => (long)question.Rows.Length) * models.Count;
        long done = 0;
        var runs = models.Select(model => Run(model, questions, resolution, model == models[0] || model == tuned, images => progress?.Invoke(done += images, total), cancel)).ToArray();
        var scores = questions.ToDictionary(
            question => question.Name,
            question => Scoring.Score(question, [.. runs.Select(run => run.Answers[question.Name])], options.Resamples, options.Seed),
            StringComparer.Ordinal);
        ModelScores[] figures = [.. runs.Select((run, index) => new ModelScores(
            run.Model.Name, run.Model.Arm, run.Model.Seed, run.Model.Validation, questions.ToDictionary(question => question.Name, question => scores[question.Name][index], StringComparer.Ordinal)))];
        var results = new EvaluationResults(
            models[0].Name, tuned?.Name, classes, options.Templates, options.Resamples, options.Seed, [.. questions.Select(Summary)], figures, ArmScores.Of(figures));
        return new Evaluation(results, Examples(questions, runs, tuned, resolution), [.. runs.SelectMany(run => Probabilities(questions, run))]);
    }

    private ModelRun Run(ModelUnderTest model, SetQuestion[] questions, int resolution, bool isShown, Action<int> embedded, CancellationToken cancel)
    {
        using var scope = torch.NewDisposeScope();
        using var noGrad = torch.no_grad();
        var device = Compute.Device(options.Device);
        using var clip = model.Load(device);
        CheckFits(model, clip, resolution);
        using var vision = VisionPlan.Compile(clip, options.Precision == EvaluationPrecision.BFloat16 ? torch.bfloat16 : torch.float32);
        string[] texts = [.. questions.SelectMany(question => question.Candidates).Distinct(StringComparer.Ordinal)];
        var column = texts.Select((text, index) => (text, index)).ToDictionary(entry => entry.text, entry => (long)entry.index, StringComparer.Ordinal);
        var embeddings = ClassTexts.Embed(clip, tokenizer, texts, options.Templates, device);
        var scale = clip.LogitScale.exp().to(torch.float32).cpu();
        var answers = new Dictionary<string, SetAnswers>(StringComparer.Ordinal);
        var probabilities = new Dictionary<string, torch.Tensor>(StringComparer.Ordinal);
        foreach (var question in questions)
        {
            using var set = torch.NewDisposeScope();
            var images = ImageEmbedder.Embed(vision, question.Pixels, question.Rows, options.BatchSize, device, embedded, cancel);
            var candidates = embeddings.index_select(0, torch.tensor([.. question.Candidates.Select(text => column[text])]));
            var cosines = images.matmul(candidates.t());
            RequireNumbers(model, question, cosines);
            answers[question.Name] = SetAnswers.Of(question, cosines.data<float>().ToArray());
            if (isShown)
            {
                probabilities[question.Name] = (cosines * scale).softmax(-1).DetachFromDisposeScope();
            }
        }

        return new ModelRun(model, answers, probabilities);
    }

    private void CheckFits(ModelUnderTest model, ClipModel clip, int resolution)
    {
        if (clip.Architecture.ImageResolution != resolution)
        {
            throw new UserErrorException($"{model.Name} takes images of {clip.Architecture.ImageResolution} pixels, the base of {resolution}: compare models of one resolution");
        }

        if (clip.Architecture.VocabularySize != tokenizer.VocabularySize)
        {
            throw new UserErrorException($"{model.Name} knows {clip.Architecture.VocabularySize} tokens, the tokenizer {tokenizer.VocabularySize}: give the tokenizer that belongs to the model");
        }
    }

    // The largest of no numbers is the first candidate: a broken model would get a plausible score.
    private static void RequireNumbers(ModelUnderTest model, SetQuestion question, torch.Tensor cosines)
    {
        if (!cosines.isfinite().all().item<bool>())
        {
            throw new UserErrorException($"{model.Name} gives features that are no finite numbers on set {question.Name}: its weights are damaged, or training diverged; use another checkpoint");
        }
    }

    private Example[] Examples(SetQuestion[] questions, ModelRun[] runs, ModelUnderTest? tuned, int resolution)
    {
        var after = runs.FirstOrDefault(run => run.Model == tuned);
        return after is null
            ? []
            : [.. questions.SelectMany(question => ExampleSelection.Choose(question, Shown(runs[0], question), Shown(after, question), resolution, options.Examples))];

        static (SetAnswers, float[]) Shown(ModelRun run, SetQuestion question) =>
            (run.Answers[question.Name], run.Probabilities[question.Name].data<float>().ToArray());
    }

    private static IEnumerable<SetProbabilities> Probabilities(SetQuestion[] questions, ModelRun run) =>
        questions.Where(question => run.Probabilities.ContainsKey(question.Name)).Select(question => new SetProbabilities(
            question.Name, run.Model.Name, [.. question.Images.Select(image => image.Id)], question.Candidates, run.Probabilities[question.Name]));

    private static SetSummary Summary(SetQuestion question) =>
        new(question.Name, question.Protocol.Name, question.Rows.Length, question.Total, question.Candidates, question.Problems);

    private static int ResolutionOf(ModelUnderTest model)
    {
        using var checkpoint = ClipCheckpoint.Open(model.Path, model.Name);
        return checkpoint.Architecture.ImageResolution;
    }
}
