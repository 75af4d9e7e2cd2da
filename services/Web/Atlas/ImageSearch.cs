using ClipSae.Clip.Model;
using ClipSae.Tensors;
using ClipSae.Web.Models;
using ClipSae.Web.Shell;
using static TorchSharp.torch;

namespace ClipSae.Web.Atlas;

/// <summary>
/// Which features of an autoencoder fire on a picture that is given: the base sees it as it sees the pictures of "Try it".
/// </summary>
internal sealed class ImageSearch(ModelRoom room)
{
    /// <summary>What fires.</summary>
    /// <param name="Features">Features that are known of, with their largest activation over the picture's tokens, strongest first.</param>
    /// <param name="Unknown">How many more fire that fire on no held-out image, so that nothing is known of them.</param>
    public sealed record Outcome(IReadOnlyList<(int Feature, double Activation)> Features, int Unknown);

    /// <summary>Whether the autoencoder reads pictures, and its run names the model that sees them.</summary>
    public static bool IsPossible(AtlasVolume volume) => !volume.ReadsCaptions && RunModels.AreOf(volume.Record);

    /// <exception cref="MissingPageException">Pictures cannot be searched for.</exception>
    /// <exception cref="UserErrorException">The picture cannot be decoded, or the model is missing or damaged.</exception>
    public async Task<Outcome> FindAsync(AtlasVolume volume, byte[] picture, CancellationToken cancel)
    {
        if (!IsPossible(volume))
        {
            throw new MissingPageException($"The features of {volume.Unit.Unit} cannot be searched by a picture.");
        }

        var firing = await room.UseAsync(volume.Record, models => Largest(models.Base, volume, picture), cancel);
        var strongest = firing
            .Index()
            .Where(feature => feature.Item > 0)
            .OrderByDescending(feature => feature.Item)
            .ThenBy(feature => feature.Index)
            .ToArray();
        return new Outcome(
            [
                .. strongest
                    .Where(feature => volume.Feature(feature.Index) is not null)
                    .Select(feature => (feature.Index, (double)feature.Item)),
            ],
            strongest.Count(feature => volume.Feature(feature.Index) is null)
        );
    }

    /// <summary>Of each feature the largest activation over the picture's tokens, as the index counts it.</summary>
    private static float[] Largest(ClipModel model, AtlasVolume volume, byte[] picture)
    {
        Compute.Device("cpu");
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var hooks = new Hooks();
        var hook = volume.HookIn(model.Architecture);
        hooks.Capture(hook);
        model.EncodeImage(ShownImages.Pixels([picture], model.Architecture.Preparation), hooks);
        var rows = hooks.Captured(hook).to(float32).reshape(-1, volume.Autoencoder.InputWidth);
        return volume.Autoencoder.Encode(rows).amax([0]).data<float>().ToArray();
    }
}
