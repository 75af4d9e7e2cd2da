using System.Text.Json.Nodes;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.Datasets;
using ClipSae.Hosting.Service;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;
using ClipSae.Results.Autoencoders;
using ClipSae.Results.Curation;
using ClipSae.Web.Models;
using static TorchSharp.torch;

namespace ClipSae.Web.Atlas;

/// <summary>
/// What single features do in the base: their ablation on the run's attacks next to a random feature, and the neurons that write them.
/// </summary>
internal sealed class FeatureEffects(KeptResults<FeatureEffect> kept, ClipSaeRuntime runtime, AtlasShelf shelf, ModelRoom room)
    : IAsyncDisposable
{
    // Raised when the same inputs give another effect.
    private const int Version = 1;
    private const string Stage = "feature-effect";
    private const int MinPairs = 24;
    private const int MaxPairs = 400;
    private const int Passes = 6;
    private const int Neurons = 10;

    // Of as many features that fire about as often, the random one is drawn.
    private const int AlikeInDensity = 16;

    /// <summary>Whether the run names the model that is asked.</summary>
    public static bool CanCompute(AtlasVolume volume) => !volume.ReadsCaptions && RunModels.AreOf(volume.Record);

    public Task<KeptResults<FeatureEffect>.Standing> FindAsync(AtlasVolume volume, int feature, CancellationToken cancel) =>
        kept.FindAsync(Parts(volume, feature), cancel);

    /// <summary>Begins to compute an effect where that is not under way.</summary>
    public void Start(AtlasVolume volume, FeatureStatistics feature) =>
        kept.Start(Parts(volume, feature.Feature), volume.Record.Run, volume.Unit.Unit, async (progress, cancel) =>
        {
            var pictures = await shelf.ImagesAsync(volume.Record, cancel);
            var (classes, templates) = await RunModels.TextsAsync(runtime, volume.Record, cancel);
            var pairs = await AttackPair.ReadAsync(runtime, volume.Record, pictures, MaxPairs, cancel);
            return await room.UseAsync(
                volume.Record,
                models => Compute(volume, feature, models, classes, templates, pairs, progress, cancel),
                cancel
            );
        });

    /// <summary>Stops the computation of an effect.</summary>
    public Task StopAsync(AtlasVolume volume, int feature) => kept.StopAsync(Parts(volume, feature));

    public ValueTask DisposeAsync() => kept.DisposeAsync();

    /// <summary>A random feature out of those that do not read text and fire about as often; null if there is none.</summary>
    internal static FeatureStatistics? Twin(AtlasVolume volume, FeatureStatistics feature)
    {
        FeatureStatistics[] alike =
        [
            .. volume
                .Statistics.Features.Where(other => other.Feature != feature.Feature && volume.Salience(other.Feature) is null)
                .OrderBy(other => Math.Abs(other.Density - feature.Density))
                .ThenBy(other => other.Feature)
                .Take(AlikeInDensity),
        ];
        return alike.Length == 0 ? null : new SeededRandom(0, "random twin", feature.Feature).Pick(alike);
    }

    private static FeatureEffect Compute(
        AtlasVolume volume,
        FeatureStatistics feature,
        RunModels models,
        IReadOnlyList<string> classes,
        IReadOnlyList<string> templates,
        IReadOnlyList<AttackPair> pairs,
        Action<double> progress,
        CancellationToken cancel
    )
    {
        Tensors.Compute.Device("cpu");
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var hook = volume.HookIn(models.Base.Architecture);
        var neurons = Writers(models.Base, hook, volume.Autoencoder.DecoderRows[feature.Feature]);
        pairs = ShownImages.Some(pairs, ShownImages.Affordable(models.Base.Architecture, Passes, MinPairs, MaxPairs));
        if (pairs.Count == 0)
        {
            return new FeatureEffect(feature.Feature, null, neurons);
        }

        string[] names =
        [
            .. classes.Concat(pairs.Select(pair => pair.Label)).Concat(pairs.Select(pair => pair.Word)).Distinct(StringComparer.Ordinal),
        ];
        using var classifier = ZeroShotClassifier.Create(models.Base, models.Tokenizer, names, templates);
        using var vision = VisionPlan.Compile(models.Base);
        var twin = Twin(volume, feature)?.Feature;
        int?[] ablations = [null, feature.Feature, .. twin is null ? Array.Empty<int?>() : [twin]];
        var decisions = ablations.Select(_ => new List<long>()).ToArray();
        var done = 0;
        foreach (var batch in pairs.Chunk(ShownImages.Batch / 2))
        {
            using var ofBatch = NewDisposeScope();
            var pixels = ShownImages.Pixels(
                batch.SelectMany(pair => new[] { pair.Clean, pair.Attacked }),
                models.Base.Architecture.Preparation
            );
            foreach (var (place, ablated) in ablations.Index())
            {
                cancel.ThrowIfCancellationRequested();
                var hooks = new Hooks();
                if (ablated is { } latent)
                {
                    hooks.Replace(hook, x => volume.Autoencoder.Ablate(x.to(float32), [latent]).to(x.dtype));
                }

                decisions[place].AddRange(classifier.Logits(vision.EncodeImage(pixels, hooks)).argmax(1).data<long>().ToArray());
            }

            progress((double)(done += batch.Length) / pairs.Count);
        }

        int Changed(List<long> after) => after.Zip(decisions[0]).Count(both => both.First != both.Second);
        return new FeatureEffect(
            feature.Feature,
            new FeatureAblation(
                pairs.Count,
                Accuracy(pairs, names, decisions[0]),
                Accuracy(pairs, names, decisions[1]),
                Changed(decisions[1]),
                twin,
                twin is null ? null : Accuracy(pairs, names, decisions[2]),
                twin is null ? null : Changed(decisions[2])
            ),
            neurons
        );
    }

    /// <summary>Neurons whose output is most along a decoder direction; null where none write there.</summary>
    /// <param name="direction">[width of the hook point].</param>
    internal static IReadOnlyList<WritingNeuron>? Writers(ClipModel model, HookPoint hook, Tensor direction)
    {
        using var scope = NewDisposeScope();
        var unit = nn.functional.normalize(direction.to(float32), dim: 0);
        if (hook is HookPoint.Mlp mlp)
        {
            return Highest(mlp.Layer, unit);
        }

        if (hook is not (HookPoint.Residual or HookPoint.Cls))
        {
            return null;
        }

        var plain = model.PlainStateDict();
        return
        [
            .. Enumerable
                .Range(0, hook.LayerIndex!.Value + 1)
                .SelectMany(layer =>
                {
                    var output = plain[$"visual.transformer.resblocks.{layer}.mlp.c_proj.weight"].to(float32);
                    return Highest(layer, unit.matmul(nn.functional.normalize(output, dim: 0)));
                })
                .OrderByDescending(neuron => neuron.Cosine)
                .ThenBy(neuron => (neuron.Layer, neuron.Neuron))
                .Take(Neurons),
        ];
    }

    private static IReadOnlyList<WritingNeuron> Highest(int layer, Tensor cosines)
    {
        var (values, indices) = cosines.topk((int)Math.Min(Neurons, cosines.shape[0]));
        return
        [
            .. indices
                .data<long>()
                .ToArray()
                .Zip(values.data<float>().ToArray(), (index, cosine) => new WritingNeuron(layer, (int)index, Math.Round(cosine, 4))),
        ];
    }

    /// <param name="decisions">The class of each clean picture and of its attack, in turn.</param>
    private static AttackAccuracy Accuracy(IReadOnlyList<AttackPair> pairs, string[] names, List<long> decisions)
    {
        double Share(Func<int, bool> holds) => Math.Round(Enumerable.Range(0, pairs.Count).Count(holds) / (double)pairs.Count, 4);
        return new AttackAccuracy(
            Share(pair => names[decisions[2 * pair]] == pairs[pair].Label),
            Share(pair => names[decisions[(2 * pair) + 1]] == pairs[pair].Label),
            Share(pair => names[decisions[(2 * pair) + 1]] == pairs[pair].Word)
        );
    }

    private static StageKeyParts Parts(AtlasVolume volume, int feature) =>
        VolumeKey.Of(
            Stage,
            Version,
            new JsonObject { ["feature"] = feature },
            volume,
            ("salient", volume.Record.State.Output(ParameterSections.Curation, OutputNames.Salient)),
            ("evaluation", volume.Record.State.Output(ParameterSections.Evaluation, OutputNames.Results))
        );
}
