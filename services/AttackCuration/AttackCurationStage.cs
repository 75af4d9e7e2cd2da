using System.Text.Json.Nodes;
using ClipSae.AttackCuration.Attacks;
using ClipSae.AttackCuration.Hygiene;
using ClipSae.AttackCuration.Images;
using ClipSae.AttackCuration.RedTeam;
using ClipSae.AttackCuration.Salience;
using ClipSae.AttackCuration.Settings;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.Clip.Preprocessing;
using ClipSae.Clip.Tokenizers;
using ClipSae.Datasets;
using ClipSae.Datasets.Drawing;
using ClipSae.Datasets.Import;
using ClipSae.Imaging.Decoding;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;
using ClipSae.Results;
using ClipSae.Results.Curation;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration;

/// <summary>
/// Finds the features that read text and the neurons that write them, proves both by intervention, and chooses the attacks that fine-tuning
/// sees. Inputs: <c>model</c>, <c>tokenizer</c>, <c>shards/NNNNN</c>, <c>sae/HOOK</c>, <c>sae-statistics/HOOK</c>. Outputs: <c>salient</c>,
/// <c>attacks</c>, <c>controls</c>, <c>attack-folder</c>, <c>manifest</c>, <c>contact-sheet</c>, <c>families</c>.
/// </summary>
public sealed class AttackCurationStage : IStage
{
    public string Name => ParameterSections.Curation;

    public bool MayHalveBatches => true;

    public int AlgorithmVersion => 15;

    public JsonObject Normalize(JsonObject parameters) =>
        StageParameters.Normalize<AttackCurationOptions>(parameters, Name, o => o.Validate());

    /// <summary>The fonts, where the run names none, and what decodes pictures.</summary>
    public JsonObject OfMachine(JsonObject parameters)
    {
        var parts = ImageDecoding.OfMachine();
        var folder = parameters["fontFolder"]?.GetValue<string>();
        // Whoever draws says that the folder is missing.
        if (parameters["fonts"] is null && (folder is null || Directory.Exists(folder)))
        {
            using var fonts = FontCatalogue.Load(folder);
            parts["fonts"] = Digest(fonts, parameters["families"]!.AsArray().Count);
        }

        return parts;
    }

    public async Task CheckAsync(UnitCheck unit, CancellationToken cancel)
    {
        if (
            StageParameters.Bind<AttackCurationOptions>(unit.Parameters, Name).Classes.Count == 0
            && await unit.FetchAsync(InputNames.DatasetManifest, cancel) is { } manifest
            && DatasetManifest.Load(manifest).Labels is { Count: < 2 } labels
        )
        {
            throw new UserErrorException(
                $"curation.classes is empty and the images are labelled with {labels.Count} "
                    + $"class{(labels.Count == 1 ? "" : "es")}: attacks need two; list what the captions show"
            );
        }
    }

    public async Task<StageResult> RunAsync(StageContext context, CancellationToken cancel)
    {
        var options = context.Options<AttackCurationOptions>();
        options = options with { BatchSize = context.Smaller(options.BatchSize) };
        using var fonts = FontCatalogue.Load(options.FontFolder);
        var own = Digest(fonts, options.Families.Count);
        if (options.Fonts is { } wanted && wanted != own)
        {
            throw new UserErrorException(
                $"curation.fonts: the run asks for the fonts {wanted[..Math.Min(12, wanted.Length)]}…, "
                    + $"this machine has {own[..12]}… ({string.Join(", ", fonts.All.Select(face => face.Name))})"
            );
        }

        var model = await context.FetchAsync(InputNames.Model, cancel);
        var tokenizer = ClipTokenizer.Load(await context.FetchAsync(InputNames.Tokenizer, cancel));
        var autoencoders = await FetchAutoencodersAsync(context, options, cancel);
        var heldOut = new HeldOutPrint(options.HeldOutWords, [.. fonts.HeldOut.Select(face => face.Name)]);
        var pictures = await CurationImages.ReadAsync(context, options, heldOut, cancel);
        // Dispose scopes belong to a thread: between the awaits before and after, all tensors live and die on one.
        var (curated, families, salient, metrics) = Curate(
            model,
            tokenizer,
            autoencoders,
            pictures,
            heldOut,
            fonts,
            options,
            context.Progress,
            cancel
        );
        var outputs = await curated.StoreAsync(context.Artifacts, context.Scratch, fonts.Tuning[0], cancel);
        outputs[OutputNames.Families] = await families.StoreAsync(context.Artifacts, context.Scratch, cancel);
        outputs[OutputNames.Salient] = await context.Artifacts.PutBytesAsync(
            ResultFormats.Salient.Write(salient),
            OutputNames.Salient,
            ResultFormats.Salient.MediaType,
            cancel
        );
        return new StageResult(outputs, ResultFormats.CurationMetrics.ToJson(metrics));
    }

    // Faces that families alone take do not change what is printed in one style.
    private static string Digest(FontCatalogue fonts, int families) => families == 0 ? fonts.Digest : fonts.WholeDigest;

    private static (CuratedAttacks Attacks, FamilyImages Families, SalientFindings Salient, CurationMetrics Metrics) Curate(
        string modelFile,
        ClipTokenizer tokenizer,
        IReadOnlyList<(string Hook, string File)> autoencoders,
        CurationImages pictures,
        HeldOutPrint heldOut,
        FontCatalogue fonts,
        AttackCurationOptions options,
        IProgress<StageProgress> progress,
        CancellationToken cancel
    )
    {
        var device = Compute.Device(options.Device);
        using var scope = NewDisposeScope();
        using var model = ClipModel.Load(modelFile, device);
        using var vision = VisionPlan.Compile(model, options.Compute.Type());
        SaeAtHook[] hooks = [.. autoencoders.Select(a => SaeAtHook.Load(a.Hook, a.File, model.Architecture, device))];
        try
        {
            return Curate(model, vision, tokenizer, hooks, pictures, heldOut, fonts, options, device, progress, cancel);
        }
        finally
        {
            foreach (var hook in hooks)
            {
                hook.Sae.Dispose();
            }
        }
    }

    private static (CuratedAttacks Attacks, FamilyImages Families, SalientFindings Salient, CurationMetrics Metrics) Curate(
        ClipModel model,
        VisionPlan vision,
        ClipTokenizer tokenizer,
        SaeAtHook[] hooks,
        CurationImages pictures,
        HeldOutPrint heldOut,
        FontCatalogue fonts,
        AttackCurationOptions options,
        Device device,
        IProgress<StageProgress> progress,
        CancellationToken cancel
    )
    {
        using var classifier = ZeroShotClassifier.Create(
            model,
            tokenizer,
            [.. pictures.Classes.Union(pictures.Words, StringComparer.Ordinal)],
            options.PromptTemplates
        );
        var pairCount = Math.Min(options.Pairs, pictures.Plain.Count) / 2 * 2;
        var steps = (long)(hooks.Length * options.SalientShares.Count) + 1;
        void Report(long done, long total, string unit) => progress.Report(new StageProgress(done, total, unit));

        using var printing = Printing.Prepare(
            model,
            vision,
            tokenizer,
            classifier,
            pictures,
            fonts,
            options,
            device,
            (done, total) => Report(done, total, "printed words"),
            cancel
        );
        using var pairs = WordPairs.Draw(
            [.. pictures.Plain.Take(pairCount)],
            options,
            pictures.Words,
            printing.Printer,
            model.Architecture.Preparation
        );
        var choosing = pairs.Part(0, pairCount / 2);
        var measuring = pairs.Part(pairCount / 2, pairCount / 2);
        var rows = CausalSweep.Run(
            vision,
            classifier,
            hooks,
            choosing,
            measuring,
            options,
            device,
            done => Report(done, steps, "ablations"),
            cancel
        );
        var best = rows.MaxBy(r => r.Effect)
            ?? throw new UserErrorException(
                "attack-curation: no SAE feature reacts to printed words more than to unreadable controls; "
                    + "train the SAE on an earlier layer (extraction.hookPoints) or on more images"
            );
        var neurons = SalientNeurons.Find(
            model,
            vision,
            best.Hook,
            best.Salient,
            choosing,
            options.NeuronsPerLayer,
            options.BatchSize,
            device,
            cancel
        );
        var neuronAblation = NeuronSilencing.Measure(vision, classifier, neurons, measuring, options, device, cancel);

        CaptionFindings? hygiene = null;
        if (options.CaptionHygiene != CaptionHygiene.Keep)
        {
            (pictures, hygiene) = CheckCaptions(
                model,
                vision,
                tokenizer,
                rows,
                pictures,
                pairCount,
                fonts,
                options,
                device,
                (done, total) => Report(done, total, "looks at pictures"),
                cancel
            );
        }

        var attackSources = pictures.Plain.Take(CurationImages.AttackSources(options)).ToArray();
        var generator = new AttackGenerator(vision, printing.Classifier, best, neurons, printing.Printer, printing.Words, options, device);
        var cleanActivations = generator.Activations(choosing.Clean, cancel).Order().ToArray();
        var firing = cleanActivations[(int)(0.95 * (cleanActivations.Length - 1))];
        Report(0, attackSources.Length, "images");
        var candidates = generator.Generate(attackSources, done => Report(done, attackSources.Length, "images"), cancel);
        var vulnerability = printing.Judge(candidates, best.Before.Clean, vision, classifier, pictures, device, cancel);
        vulnerability.Require(options.MinFooled);
        var chosen = AttackSelection.Choose(candidates, firing, options.Attacks);
        UserErrorException.ThrowIf(
            chosen.Count == 0,
            $"attack-curation: none of the {vulnerability.Fooled} printed words that fool this model excites its text-salient "
                + $"features; train the SAE on another layer (extraction.hookPoints) or on more images"
        );

        var curated = new CuratedAttacks();
        foreach (var attack in chosen)
        {
            cancel.ThrowIfCancellationRequested();
            var source = attackSources[attack.Source];
            var control = WordPairs.ControlOf(attack.Shown, attack.Source, options.Seed);
            curated.Add(attack, source, generator.Draw(source, attack.Shown), generator.Draw(source, control), generator.Boxes(attack));
        }

        var families = printing.DrawFamilies(pictures, generator, cancel);
        var natural = NaturalAttacks(pictures, generator, model.Architecture.Preparation, firing, options, cancel);
        foreach (var (source, activation) in natural)
        {
            curated.AddNatural(source, source.Decode(), activation);
        }

        var redTeam = printing.Metrics(candidates, chosen);
        var metrics = new CurationMetrics(
            best.Hook.Hook.ToString(),
            best.Hook.Name,
            best.Salient.Count,
            neurons.Count,
            candidates.Count,
            vulnerability.Fooled,
            candidates.Count(c => c.Fooled && c.Visible),
            chosen.Count,
            natural.Count,
            pictures.Unreadable,
            SalientReport.Rounded(best.Before),
            SalientReport.Rounded(best.Ablation),
            SalientReport.Rounded(best.Random)
        )
        {
            RedTeam = redTeam,
            FamilyImages = redTeam is null ? null : families.Count,
            BetterRead =
                redTeam is null && vulnerability.Best is { } better ? new ReadFamily(better.Name, better.Tried, better.Fooled) : null,
            Captions = hygiene is null
                ? null
                : new CaptionMetrics(hygiene.Action, hygiene.Images, hygiene.Found.Count, hygiene.Captions.Count),
        };
        var report = SalientReport.Build(rows, best, neurons, neuronAblation, choosing, pictures, heldOut, firing, options) with
        {
            CaptionHygiene = hygiene,
        };
        return (curated, families, report, metrics);
    }

    private static (CurationImages Left, CaptionFindings Findings) CheckCaptions(
        ClipModel model,
        VisionPlan vision,
        ClipTokenizer tokenizer,
        IReadOnlyList<CausalSweep.Row> rows,
        CurationImages pictures,
        int sources,
        FontCatalogue fonts,
        AttackCurationOptions options,
        Device device,
        Action<long, long> progress,
        CancellationToken cancel
    )
    {
        var names = CaptionWords.Vocabulary(pictures.Classes.Union(pictures.Words, StringComparer.Ordinal), pictures.All);
        using var vocabulary = ZeroShotClassifier.Create(model, tokenizer, names, options.PromptTemplates);
        using var print = OwnPrint.Draw(
            [.. pictures.Plain.Take(sources)],
            [.. names.Except(options.HeldOutWords, StringComparer.Ordinal)],
            fonts,
            model.Architecture,
            options
        );
        using var detector = PrintDetector.Fit(vision, rows, print, options, device, cancel);
        var result = new CaptionCheck(model, vision, vocabulary, options, device).Find(pictures.All, detector, print, progress, cancel);
        var cleaning = CaptionCleaning.Of(result, pictures, names, options);
        var left = cleaning.Apply(pictures);
        return left.Plain.Count > 0
            ? (left, cleaning.Findings(result, detector, options.CaptionHygiene))
            : throw new UserErrorException(
                $"curation.captionHygiene: none of {pictures.Plain.Count} labelled pictures would be left; "
                    + "with report they are listed and kept"
            );
    }

    private static List<(ImageSource Source, double Activation)> NaturalAttacks(
        CurationImages pictures,
        AttackGenerator generator,
        ImagePreparation preparation,
        double firing,
        AttackCurationOptions options,
        CancellationToken cancel
    )
    {
        var apart = pictures.Apart.ToHashSet<ImageSource>(ReferenceEqualityComparer.Instance);
        var sample = pictures.All.Where(picture => !apart.Contains(picture)).Take(CurationImages.NaturalSample(options)).ToArray();
        if (sample.Length == 0)
        {
            return [];
        }

        using var pixels = PixelLoader.Load(sample.Length, i => sample[i].Read(), preparation, cancel);
        var activations = generator.Activations(pixels, cancel);
        return
        [
            .. sample
                .Zip(activations)
                .Where(p => p.Second > firing)
                .OrderByDescending(p => p.Second)
                .ThenBy(p => p.First.Item.Id, StringComparer.Ordinal)
                .Take(options.NaturalImages),
        ];
    }

    private static async Task<IReadOnlyList<(string Hook, string File)>> FetchAutoencodersAsync(
        StageContext context,
        AttackCurationOptions options,
        CancellationToken cancel
    )
    {
        var explained = new List<(string Name, double? Explained)>();
        foreach (var (name, _) in context.InputsUnder(OutputNames.Autoencoder).Where(sae => !HookPoint.OfAutoencoder(sae.Key).IsText))
        {
            var statistics = context.Inputs.TryGetValue($"{InputNames.AutoencoderStatistics}/{name}", out var artifact)
                ? await ResultFormats.Statistics.ReadAsync(artifact, context.Artifacts.FetchAsync, cancel)
                : null;
            explained.Add((name, statistics?.Metrics.ExplainedVariance));
        }

        UserErrorException.ThrowIf(
            explained.Count == 0,
            "attack-curation: no SAE among the inputs reads pictures, in which text-salient features are found; "
                + "name a hook point of the vision tower, such as mlp@0, in extraction.hookPoints"
        );

        var fetched = new List<(string Hook, string File)>();
        foreach (var name in new UsefulAutoencoders(explained).Require(options.MinExplained))
        {
            fetched.Add((name, await context.FetchAsync($"sae/{name}", cancel)));
        }

        return fetched;
    }
}
