using ClipSae.Clip;
using ClipSae.Sae;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration;

/// <summary>A sparse autoencoder and the place in the vision tower that it was trained on.</summary>
public sealed record SaeAtHook(HookPoint Hook, SparseAutoencoder Sae)
{
    /// <summary>Latents of each picture, the mean over its tokens where the hook has tokens.</summary>
    /// <param name="activations">As captured: [batch, tokens, width] or [batch, width].</param>
    /// <returns>[batch, latents].</returns>
    public Tensor PerImage(Tensor activations)
    {
        using var scope = NewDisposeScope();
        var latents = Sae.Encode(activations);
        return (Hook.HasTokens ? latents.mean(new long[] { 1 }) : latents).MoveToOuterDisposeScope();
    }

    /// <summary>Adds to <paramref name="hooks"/> the ablation of the given latents at every token, the SAE's error kept.</summary>
    public void Ablate(Hooks hooks, IReadOnlyList<int> latents) => hooks.Replace(Hook, x => Sae.Ablate(x, latents));
}
