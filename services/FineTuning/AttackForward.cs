using ClipSae.Tensors;
using ClipSae.Clip;
using ClipSae.Sae;
using static TorchSharp.torch;

namespace ClipSae.FineTuning;

/// <summary>What an arm does to the forward pass of attack images: nothing, scaling of neurons, or a look at the salient features for the hinge.</summary>
public sealed class AttackForward(TuningArm arm, SalientParts parts, SparseAutoencoder? autoencoder, FineTuningOptions options)
{
    private double? Factor => arm switch
    {
        TuningArm.Amplify => options.Amplification,
        TuningArm.Suppress => options.Suppression,
        _ => null,
    };

    /// <summary>Whether the arm adds the hinge, which needs the unreadable controls.</summary>
    public bool Penalises => arm is TuningArm.Penalise or TuningArm.PenaliseOnly;

    /// <summary>Whether attack images enter the contrastive loss with their true captions.</summary>
    public bool Captions => arm is not TuningArm.PenaliseOnly;

    /// <summary>Features of clean and attack images in one pass; what the arm does is done to the attacks alone, and in this call alone.</summary>
    /// <param name="images">[batch, 3, R, R], the clean ones first.</param>
    /// <param name="clean">How many are clean.</param>
    /// <param name="controls">The attacks' unreadable twins, or null where no hinge is wanted.</param>
    /// <returns>Embeddings [batch, embed] and the hinge λ·mean ReLU(z_f(word) − z_f(control) − margin), null without one.</returns>
    public (Tensor Embeddings, Tensor? Penalty) Run(ClipModel model, Tensor images, long clean, Tensor? controls)
    {
        var hooks = new Hooks();
        if (Factor is { } factor)
        {
            foreach (var (layer, neurons) in parts.Neurons)
            {
                var indices = tensor(neurons.Select(n => (long)n).ToArray(), device: images.device);
                hooks.Replace(new HookPoint.Mlp(layer), value => Scaled(value, clean, indices, factor));
            }
        }

        if (!Penalises || controls is null)
        {
            return (model.EncodeImage(images, hooks), null);
        }

        hooks.Capture(parts.Hook);
        var embeddings = model.EncodeImage(images, hooks);
        var captured = hooks.Captured(parts.Hook);
        var word = autoencoder!.Features(captured.narrow(0, clean, captured.shape[0] - clean), parts.Features);
        var excess = (word - ControlFeatures(model, controls)).Minus(options.PenaltyMargin).relu();
        return (embeddings, excess.mean().Times(options.PenaltyWeight));
    }

    /// <param name="value">[batch, tokens, neurons].</param>
    private static Tensor Scaled(Tensor value, long clean, Tensor neurons, double factor)
    {
        var factors = ones([value.shape[0], 1, value.shape[2]], dtype: value.dtype, device: value.device);
        factors.narrow(0, clean, value.shape[0] - clean).FillInPlace(2, neurons, factor);
        return value * factors;
    }

    // The control is the yardstick, not a thing to be trained: no gradient flows through it.
    private Tensor ControlFeatures(ClipModel model, Tensor controls)
    {
        using var noGrad = no_grad();
        var hooks = new Hooks().Capture(parts.Hook);
        model.Run(controls, hooks);
        return autoencoder!.Features(hooks.Captured(parts.Hook), parts.Features);
    }
}
