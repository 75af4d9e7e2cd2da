using ClipSae.AttackCuration.Images;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration.Salience;

/// <summary>The MLP neurons that write the text-salient features (science, section 4).</summary>
public static class SalientNeurons
{
    /// <summary>A neuron, its score, and what one unit of its activation writes directly into the salient features.</summary>
    public sealed record Neuron(int Layer, int Index, double Score, double Write);

    /// <summary>
    /// <c>score_j = mean over pairs of (a_j(word) − a_j(control)) · Σ_f w_f ⟨W_enc[f], W_proj[:, j]⟩</c> for the neurons of every block at
    /// or before the hook, a_j as <see cref="SaeAtHook.NeuronsPerImage"/> gives it. An SAE on the neurons themselves (<c>mlp@L</c>) reads
    /// neuron j of block L directly, so there <c>W_enc[f][j]</c> takes the product's place; one on the image embedding reads the residual
    /// stream through ln_post and visual.proj, or through SigLIP's pooling.
    /// </summary>
    /// <param name="vision">The model's vision tower.</param>
    /// <param name="salient">The features f, weighted with their salience.</param>
    /// <returns>The highest scores of each layer, highest first within a layer.</returns>
    public static IReadOnlyList<Neuron> Find(
        ClipModel model,
        VisionPlan vision,
        SaeAtHook at,
        IReadOnlyList<FeatureScore> salient,
        WordPairs pairs,
        int perLayer,
        int batch,
        Device device,
        CancellationToken cancel
    )
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var plain = model.PlainStateDict();
        var direction = ReadDirection(at, salient);
        var ofStream = at.Hook is HookPoint.ImageEmbedding ? BeforeEnd(plain, model.Architecture, direction) : direction;
        var last = at.Hook.LayerIndex ?? model.Architecture.VisionLayers - 1;
        var layers = at.Hook is HookPoint.Mlp ? [last] : Enumerable.Range(0, last + 1).ToArray();
        var word = MeanActivations(vision, at, layers, pairs.Word, batch, device, cancel);
        var control = MeanActivations(vision, at, layers, pairs.Control, batch, device, cancel);
        var neurons = new List<Neuron>();
        foreach (var layer in layers)
        {
            var write = at.Hook is HookPoint.Mlp ? direction : Through(plain, layer).t().mv(ofStream);
            var (values, indices) = ((word[layer] - control[layer]) * write).topk(Math.Min(perLayer, (int)write.shape[0]));
            var index = indices.cpu().data<long>().ToArray();
            var value = values.cpu().data<float>().ToArray();
            var writes = write.index_select(0, indices).cpu().data<float>().ToArray();
            neurons.AddRange(index.Select((j, i) => new Neuron(layer, (int)j, value[i], writes[i])).Where(n => n.Score > 0));
        }

        return neurons;
    }

    /// <summary>Σ_f w_f W_enc[f]: what the salient features read, [d_in].</summary>
    private static Tensor ReadDirection(SaeAtHook at, IReadOnlyList<FeatureScore> salient)
    {
        var rows = at.Sae.EncoderRows.index_select(
            0,
            tensor(salient.Select(s => (long)s.Feature).ToArray(), device: at.Sae.EncoderRows.device)
        );
        var weights = FeatureScore.Weights(salient).to(rows.device);
        return weights.matmul(rows);
    }

    private static Tensor Through(IReadOnlyDictionary<string, Tensor> plain, int layer) =>
        plain[$"visual.transformer.resblocks.{layer}.mlp.c_proj.weight"].to(ScalarType.Float32);

    /// <summary>
    /// The direction of the stream that moves the embedding along <paramref name="direction"/> [embed]: <c>γ ⊙ (visual.proj ·
    /// direction)</c> of the class token without its mean, since ln_post takes the stream's mean off. Its division by the stream's spread,
    /// one positive number a picture, is left out. In SigLIP's pooling <c>W_vᵀ W_oᵀ</c> takes the projection's place: what attention passes
    /// on of every token, without its weights and without the MLP behind it.
    /// </summary>
    private static Tensor BeforeEnd(IReadOnlyDictionary<string, Tensor> plain, ClipArchitecture architecture, Tensor direction)
    {
        Tensor Weight(string key) => plain[key].to(ScalarType.Float32);
        var width = architecture.VisionWidth;
        var read = architecture.Family.HasClassToken
            ? Weight("visual.proj").mv(direction)
            : Weight(ClipKeys.Head + "attn.in_proj_weight")
                .narrow(0, 2 * width, width)
                .t()
                .mv(Weight(ClipKeys.Head + "attn.out_proj.weight").t().mv(direction));
        var scaled = Weight(ClipKeys.VisionNorm + ".weight") * read;
        return scaled - scaled.mean();
    }

    /// <summary>Mean over the pictures of each neuron's activation, by layer [4·width]; all layers in one pass.</summary>
    private static Dictionary<int, Tensor> MeanActivations(
        VisionPlan vision,
        SaeAtHook at,
        int[] layers,
        Tensor pixels,
        int batch,
        Device device,
        CancellationToken cancel
    )
    {
        var sums = layers.ToDictionary(layer => layer, layer => zeros(new HookPoint.Mlp(layer).Width(vision.Architecture), device: device));
        ImageBatches.Each(pixels, vision.Architecture.Family.Normalization, batch, device, cancel, images =>
        {
            var hooks = new Hooks();
            foreach (var (layer, sum) in sums)
            {
                hooks.Observe(new HookPoint.Mlp(layer), neurons => sum.AddInPlace(at.NeuronsPerImage(neurons).sum([0])));
            }

            vision.Run(images, hooks);
        });

        return sums.ToDictionary(sum => sum.Key, sum => sum.Value.Over(pixels.shape[0]));
    }
}
