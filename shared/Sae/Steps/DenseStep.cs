using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Sae.Steps;

/// <summary>
/// The step as the papers write it: dense products, gradients by autograd, any device, every variant. The reference that
/// the sparse kernels is tested against, and the faster one where k is above about 512.
/// </summary>
public sealed class DenseStep(SaeTrainingOptions options) : ISaeStep
{
    /// <inheritdoc/>
    public Tensor Run(SaeTrainingState state, Tensor batch, double learningRate)
    {
        using var scope = NewDisposeScope();
        var parameters = state.Parameters.ToDictionary(name => name, name => state.Tensors[name].detach().requires_grad_());
        var encoder = parameters["encoder"];
        var decoder = state.Tied ? encoder : parameters["decoder"];
        var centred = batch - parameters["pre_bias"];
        var preActivations = LinearLayer.Apply(centred, encoder, parameters["encoder_bias"]);
        var latents = Select(preActivations);
        var variance = Variance(batch);
        var reconstruction = latents.matmul(decoder).Plus(parameters["pre_bias"]);
        var loss = ReconstructionLoss(latents, decoder, parameters["pre_bias"], reconstruction, batch, variance);
        var auxiliary = AuxiliaryLoss(state, preActivations, decoder, batch - reconstruction.detach());
        loss.Plus(auxiliary.Times(options.AuxAlpha)).backward();

        using (no_grad())
        {
            foreach (var (name, parameter) in parameters)
            {
                var gradient = parameter.grad!;
                var unitRows = name == "decoder" || (state.Tied && name == "encoder");
                if (unitRows)
                {
                    gradient = gradient - (gradient * parameter).sum(1, true) * parameter;
                }

                Adam(state, name, gradient, learningRate);
                if (unitRows)
                {
                    state.Tensors[name].div_(state.Tensors[name].norm(1, true, 2));
                }
            }

            var fired = latents.IsAbove(0).any(0);
            state.SinceFired.AddInPlace(batch.shape[0]).mul_(fired.logical_not());
            TrackThreshold(state, latents);
        }

        state.Step++;
        return stack([loss.detach(), auxiliary.detach()]).MoveToOuterDisposeScope();
    }

    public void Dispose() { }

    private Tensor Select(Tensor preActivations)
    {
        var positive = preActivations.relu();
        if (options.Variant is SaeVariant.BatchTopK)
        {
            var kept = (int)Math.Min((long)options.Variant.K * positive.shape[0], positive.numel());
            var (largest, places) = positive.flatten().topk(kept, 0, true, false);
            return zeros_like(positive).flatten().scatter(0, places, largest).view_as(positive);
        }

        var (values, indices) = positive.topk(Math.Min(options.Variant.K, (int)positive.shape[1]), 1, true, false);
        return zeros_like(positive).scatter(1, indices, values);
    }

    private Tensor ReconstructionLoss(Tensor latents, Tensor decoder, Tensor preBias, Tensor reconstruction, Tensor batch, Tensor variance)
    {
        if (options.Variant is not SaeVariant.Matryoshka matryoshka)
        {
            return (reconstruction - batch).Squared().mean() / variance;
        }

        var total = zeros(1, device: batch.device);
        foreach (var share in matryoshka.Prefixes)
        {
            var length = SaeVariant.Matryoshka.Length(share, options.Latents);
            var partial = latents.narrow(1, 0, length).matmul(decoder.narrow(0, 0, length)).Plus(preBias);
            total = total.Plus((partial - batch).Squared().mean() / variance);
        }

        return total.Over(matryoshka.Prefixes.Count).squeeze();
    }

    /// <summary>
    /// The residual reconstructed, without b_pre, by each row's k_aux largest dead latents, over the residual's variance (section 2.4). The
    /// masks make it zero when no latent is dead, so that nothing is read back from the device.
    /// </summary>
    private Tensor AuxiliaryLoss(SaeTrainingState state, Tensor preActivations, Tensor decoder, Tensor residual)
    {
        var dead = state.SinceFired.IsAbove(options.DeadAfterSamples);
        var auxK = Math.Min(options.AuxKFor(state.Width), state.Latents);
        var (values, indices) = preActivations.relu().mul(dead).topk(auxK, 1, true, false);
        var latents = zeros_like(preActivations).scatter(1, indices, values);
        var error = (latents.matmul(decoder) - residual).Squared().mean() / Variance(residual);
        return error * dead.any();
    }

    /// <summary>Mean over the features of their variance in the batch, a constant to the gradient.</summary>
    private static Tensor Variance(Tensor x) => (x - x.mean([0])).Squared().mean().detach().AtLeast(1e-12);

    private void Adam(SaeTrainingState state, string name, Tensor gradient, double learningRate)
    {
        var (first, second) = (state.FirstMoment(name), state.SecondMoment(name));
        var step = state.Step + 1;
        first.MultiplyInPlace(options.Beta1).AddInPlace(gradient, 1 - options.Beta1);
        second.MultiplyInPlace(options.Beta2).AddProductInPlace(gradient, gradient, 1 - options.Beta2);
        var denominator = second.sqrt().DivideInPlace(Math.Sqrt(1 - Math.Pow(options.Beta2, step))).AddInPlace(options.Epsilon);
        state.Tensors[name].AddQuotientInPlace(first, denominator, -learningRate / (1 - Math.Pow(options.Beta1, step)));
    }

    /// <summary>
    /// BatchTopK's threshold for use: the smallest activation a batch kept, averaged over the last hundred or so batches (arXiv 2412.06410,
    /// section 3, averages over batches; the early ones, of another autoencoder, are forgotten here).
    /// </summary>
    private void TrackThreshold(SaeTrainingState state, Tensor latents)
    {
        if (options.Variant is SaeVariant.BatchTopK)
        {
            var smallest = latents.FilledWhere(latents.IsAbove(0).logical_not(), double.PositiveInfinity).min();
            state.Threshold.lerp_(smallest.expand(1), tensor(state.Step == 0 ? 1f : 0.01f, device: latents.device));
        }
    }
}
