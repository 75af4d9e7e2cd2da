using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.Sae.Encoding;
using ClipSae.Sae.Formats;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration.Salience;

/// <summary>A sparse autoencoder and the place in the vision tower that it was trained on.</summary>
/// <param name="Name">Its name among the stage's inputs, which begins with the hook point's.</param>
/// <param name="Hook">Where it reads.</param>
/// <param name="Sae">The autoencoder.</param>
public sealed record SaeAtHook(string Name, HookPoint Hook, SparseAutoencoder Sae)
{
    /// <summary>Tokens of the model's vision tower that stand before the patches.</summary>
    public int ClassTokens { get; init; } = 1;

    /// <summary>Loads an SAE of this name.</summary>
    /// <exception cref="UserErrorException">No such hook point in the model, or the SAE is of another width.</exception>
    public static SaeAtHook Load(string name, string file, ClipArchitecture architecture, Device device)
    {
        var point = HookPoint.OfAutoencoder(name).CheckedFor(architecture);
        var sae = SaeFile.Load(file, device);
        return sae.InputWidth == point.Width(architecture)
            ? new SaeAtHook(name, point, sae) { ClassTokens = architecture.ClassTokens }
            : throw new UserErrorException(
                $"attack-curation: the SAE of {point} takes {sae.InputWidth} values where this model "
                    + $"has {point.Width(architecture)}; train it on this model"
            );
    }

    /// <summary>Latents of each picture, the mean over its tokens where the hook has tokens.</summary>
    /// <param name="activations">As captured: [batch, tokens, width] or [batch, width].</param>
    /// <returns>[batch, latents].</returns>
    public Tensor PerImage(Tensor activations) => Hook.HasTokens ? Sae.MeanLatents(activations) : Sae.Encode(activations);

    /// <summary>
    /// A block's neurons as this hook point is written to by them: the mean over the tokens where its latents are such a mean, or where the
    /// features are pooled from all tokens; else the class token's alone, since no other token's neurons write there without a later
    /// attention.
    /// </summary>
    /// <param name="neurons">[batch, tokens, 4·width].</param>
    /// <returns>[batch, 4·width], float32.</returns>
    public Tensor NeuronsPerImage(Tensor neurons) =>
        Hook.HasTokens || ClassTokens == 0
            ? neurons.to(ScalarType.Float32).mean(new long[] { 1 })
            : neurons.select(1, 0).to(ScalarType.Float32);

    /// <summary>Of values at a point with tokens [batch, tokens, width] those of the patches [batch, patches, width].</summary>
    public Tensor OfPatches(Tensor captured) => captured.narrow(1, ClassTokens, captured.shape[1] - ClassTokens);

    /// <summary>Adds to <paramref name="hooks"/> the ablation of the given latents at every token, the SAE's error kept.</summary>
    public void Ablate(Hooks hooks, IReadOnlyList<int> latents) =>
        hooks.Replace(Hook, x => Sae.Ablate(x.to(ScalarType.Float32), latents).to(x.dtype));
}
