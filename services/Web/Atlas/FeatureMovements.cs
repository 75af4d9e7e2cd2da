using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.Hosting.Service;
using ClipSae.Pipeline.Stages;
using ClipSae.Results.Autoencoders;
using ClipSae.Web.Models;
using static TorchSharp.torch;

namespace ClipSae.Web.Atlas;

/// <summary>What fine-tuning changed: the base's autoencoder over the activations of base and tuned model on the same pictures.</summary>
internal sealed class FeatureMovements(KeptResults<FeatureMovement> kept, ClipSaeRuntime runtime, AtlasShelf shelf, ModelRoom room)
    : IAsyncDisposable
{
    // Raised when the same inputs give another result.
    private const int Version = 1;
    private const string Stage = "feature-movement";
    private const int MinImages = 64;
    private const int MaxImages = 1000;
    private const int MinPairs = 24;
    private const int MaxPairs = 250;

    // Of a picture the two models; of a pair each with the two pictures. Pictures and pairs share what a computation may cost.
    private const int PassesOfImage = 4;
    private const int PassesOfPair = 8;

    /// <summary>Whether the run names its base and has a tuned model.</summary>
    public static bool CanCompute(AtlasVolume volume) =>
        !volume.ReadsCaptions && RunModels.AreOf(volume.Record) && RunModels.TunedOf(volume.Record) is not null;

    public Task<KeptResults<FeatureMovement>.Standing> FindAsync(AtlasVolume volume, CancellationToken cancel) =>
        kept.FindAsync(Parts(volume), cancel);

    /// <summary>Begins to compute where that is not under way.</summary>
    public void Start(AtlasVolume volume) => kept.Start(Parts(volume), volume.Record.Run, volume.Unit.Unit, async (progress, cancel) =>
        {
            var pictures = await shelf.ImagesAsync(volume.Record, cancel);
            var pairs = await AttackPair.ReadAsync(runtime, volume.Record, pictures, MaxPairs, cancel);
            return await room.UseAsync(volume.Record, models => Compute(volume, models, pictures, pairs, progress, cancel), cancel);
        });

    /// <summary>Stops the computation.</summary>
    public Task StopAsync(AtlasVolume volume) => kept.StopAsync(Parts(volume));

    public ValueTask DisposeAsync() => kept.DisposeAsync();

    private static FeatureMovement Compute(
        AtlasVolume volume,
        RunModels models,
        ImageLibrary pictures,
        IReadOnlyList<AttackPair> pairs,
        Action<double> progress,
        CancellationToken cancel
    )
    {
        Tensors.Compute.Device("cpu");
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var architecture = models.Base.Architecture;
        var hook = volume.HookIn(architecture);
        string[] ids = [.. pictures.Some(ShownImages.Affordable(architecture, PassesOfImage, MinImages, MaxImages))];
        pairs = ShownImages.Some(pairs, ShownImages.Affordable(architecture, PassesOfPair, MinPairs, MaxPairs));
        using var before = VisionPlan.Compile(models.Base);
        using var after = VisionPlan.Compile(models.Tuned!);
        var (seen, response) = (new FeatureSums(volume.Autoencoder.Latents), new ResponseSums(volume.Autoencoder.Latents));
        double steps = ids.Length + (2 * pairs.Count),
            done = 0;
        foreach (var batch in ids.Chunk(ShownImages.Batch))
        {
            cancel.ThrowIfCancellationRequested();
            using var ofBatch = NewDisposeScope();
            var pixels = ShownImages.Pixels(batch.Select(id => pictures.Read(id, cancel)!), architecture.Preparation);
            seen.Add(Latents(before, pixels), Latents(after, pixels));
            progress((done += batch.Length) / steps);
        }

        foreach (var batch in pairs.Chunk(ShownImages.Batch / 2))
        {
            cancel.ThrowIfCancellationRequested();
            using var ofBatch = NewDisposeScope();
            var pixels = ShownImages.Pixels(
                [.. batch.Select(pair => pair.Clean), .. batch.Select(pair => pair.Attacked)],
                architecture.Preparation
            );
            response.Add(Latents(before, pixels), Latents(after, pixels));
            progress((done += 2 * batch.Length) / steps);
        }

        return new FeatureMovement(RunModels.TunedOf(volume.Record)!, ids.Length, pairs.Count, seen.Moved(response.Means()));

        // Mean over the tokens, [pictures, latents].
        Tensor Latents(VisionPlan vision, Tensor pixels)
        {
            var hooks = new Hooks().Capture(hook);
            vision.Run(pixels, hooks);
            var activations = hooks.Captured(hook).to(float32);
            return hook.HasTokens ? volume.Autoencoder.MeanLatents(activations) : volume.Autoencoder.Encode(activations);
        }
    }

    private static StageKeyParts Parts(AtlasVolume volume) =>
        VolumeKey.Of(Stage, Version, [], volume, RunModels.TunedFiles(volume.Record).Select(file => (file.Key, (ArtifactRef?)file.Value)));
}
