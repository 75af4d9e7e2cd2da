using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Clip;
using ClipSae.Contracts;
using ClipSae.Datasets;
using ClipSae.Pipeline;
using ClipSae.Sae;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration;

/// <summary>
/// Finds the features that read text and the neurons that write them, proves both by intervention, and chooses the attacks that fine-tuning sees.
/// Inputs: <c>model</c>, <c>tokenizer</c>, <c>shards/NNNNN</c>, <c>sae/HOOK</c>. Outputs: <c>salient</c>, <c>attacks</c>, <c>controls</c>,
/// <c>attack-folder</c>, <c>manifest</c>, <c>contact-sheet</c>.
/// </summary>
public sealed class AttackCurationStage : IStage
{
    public string Name => "attack-curation";

    public int AlgorithmVersion => 2;

    public JsonObject Normalize(JsonObject parameters) => StageParameters.Normalize<AttackCurationOptions>(parameters, Name, o => o.Validate());

    public async Task<StageResult> RunAsync(StageContext context, CancellationToken cancel)
    {
        var options = context.Options<AttackCurationOptions>();
        var device = Compute.Device(options.Device);
        using var scope = NewDisposeScope();
        using var fonts = FontCatalogue.Load(options.FontFolder);
        using var model = ClipModel.Load(await context.FetchAsync("model", cancel), device);
        var tokenizer = ClipTokenizer.Load(await context.FetchAsync("tokenizer", cancel));
        var hooks = await LoadAutoencodersAsync(context, model, device, cancel);
        var pictures = await Pictures.ReadAsync(context, options, cancel);
        var words = options.Words.Count > 0 ? options.Words : pictures.Classes;
        words = [.. words.Except(options.HeldOutWords, StringComparer.Ordinal)];
        if (words.Count < 2)
        {
            throw new UserErrorException("curation.words: at least two words are needed that are not held out; name some or give a data set with more classes");
        }

        using var classifier = ZeroShotClassifier.Create(model, tokenizer, [.. pictures.Classes.Union(words, StringComparer.Ordinal)], options.PromptTemplates);
        var pairCount = Math.Min(options.Pairs, pictures.Plain.Count) / 2 * 2;
        var attackSources = pictures.Plain.Take(2 * options.Attacks).ToArray();
        var steps = (long)(hooks.Count * options.SalientShares.Count) + 1;
        void Report(long done, long total, string unit) => context.Progress.Report(new StageProgress(done, total, unit));

        using var pairs = WordPairs.Draw([.. pictures.Plain.Take(pairCount)], options, words, fonts, model.Architecture.ImageResolution);
        var choosing = pairs.Part(0, pairCount / 2);
        var measuring = pairs.Part(pairCount / 2, pairCount / 2);
        var rows = CausalSweep.Run(model, classifier, hooks, choosing, measuring, options, device, done => Report(done, steps, "ablations"), cancel);
        if (rows.Count == 0)
        {
            throw new UserErrorException("attack-curation: no SAE feature reacts to printed words more than to unreadable controls; train the SAE on an earlier layer (extraction.hookPoints) or on more images");
        }

        var best = rows.MaxBy(r => r.Effect)!;
        var neurons = SalientNeurons.Find(model, best.Hook, best.Salient, choosing, options.NeuronsPerLayer, options.BatchSize, device, cancel);
        var neuronAblation = NeuronAblation.Measure(model, classifier, neurons, measuring, options, device, cancel);

        var generator = new AttackGenerator(model, classifier, best, fonts, options, device);
        var cleanActivations = generator.Activations(choosing.Clean, cancel).Order().ToArray();
        var firing = cleanActivations[(int)(0.95 * (cleanActivations.Length - 1))];
        var candidates = generator.Generate(attackSources, words, done => Report(done, attackSources.Length, "images"), cancel);
        var chosen = AttackSelection.Choose(candidates, firing, options.Attacks);
        if (chosen.Count == 0)
        {
            throw new UserErrorException($"attack-curation: none of {candidates.Count} printed words fools this model; it may be robust already, or curation.style prints too small");
        }

        var curated = new CuratedAttacks();
        foreach (var attack in chosen)
        {
            cancel.ThrowIfCancellationRequested();
            var source = attackSources[attack.Source];
            var control = WordPairs.ControlOf(attack.Placement, attack.Source, options.Seed);
            curated.Add(attack, source, generator.Draw(source, attack.Placement), generator.Draw(source, control), generator.Box(attack.Placement));
        }

        var natural = NaturalAttacks(pictures, generator, model, firing, options, cancel);
        foreach (var (source, activation) in natural)
        {
            curated.AddNatural(source, source.Decode(), activation);
        }

        var outputs = await curated.StoreAsync(context.Artifacts, context.Scratch, fonts.Tuning[0], cancel);
        var salient = SalientReport.Build(rows, best, neurons, neuronAblation, choosing, pictures, firing, options);
        outputs["salient"] = await context.Artifacts.PutBytesAsync(System.Text.Encoding.UTF8.GetBytes(CanonicalJson.Serialize(salient)), "salient", "application/json", cancel);
        var figures = new JsonObject
        {
            ["hook"] = best.Hook.Hook.ToString(),
            ["salientFeatures"] = best.Salient.Count,
            ["salientNeurons"] = neurons.Count,
            ["candidates"] = candidates.Count,
            ["fooled"] = candidates.Count(c => c.Fooled),
            ["fooledByTheWordAlone"] = candidates.Count(c => c.Fooled && c.Visible),
            ["attacks"] = chosen.Count,
            ["natural"] = natural.Count,
            ["unreadable"] = new JsonArray([.. pictures.Unreadable.Select(u => (JsonNode)u)]),
            ["before"] = SalientReport.Accuracy(best.Before),
            ["ablation"] = SalientReport.Accuracy(best.Ablation),
            ["random"] = new JsonArray([.. best.Random.Select(r => (JsonNode)SalientReport.Accuracy(r))]),
        };
        return new StageResult(outputs, figures);
    }

    private static List<(PictureSource Source, double Activation)> NaturalAttacks(
        Pictures pictures, AttackGenerator generator, ClipModel model, double firing, AttackCurationOptions options, CancellationToken cancel)
    {
        var sample = pictures.All.Take(8 * Math.Max(options.NaturalImages, 32)).ToArray();
        if (options.NaturalImages == 0 || sample.Length == 0)
        {
            return [];
        }

        using var pixels = PixelLoader.Load(sample.Length, i => sample[i].Decode(), model.Architecture.ImageResolution, cancel);
        var activations = generator.Activations(pixels, cancel);
        return [.. sample.Zip(activations).Where(p => p.Second > firing).OrderByDescending(p => p.Second).ThenBy(p => p.First.Item.Id, StringComparer.Ordinal)
            .Take(options.NaturalImages)];
    }

    private static async Task<List<SaeAtHook>> LoadAutoencodersAsync(StageContext context, ClipModel model, Device device, CancellationToken cancel)
    {
        var hooks = new List<SaeAtHook>();
        foreach (var (name, artifact) in context.InputsUnder("sae"))
        {
            var hook = HookPoint.Parse(name).CheckedFor(model.Architecture);
            hooks.Add(new SaeAtHook(hook, SparseAutoencoder.Load(await context.Artifacts.FetchAsync(artifact, cancel), device)));
        }

        return hooks.Count > 0
            ? hooks
            : throw new UserErrorException("attack-curation: no SAE among the inputs; give extraction.hookPoints at least one hook point");
    }
}
