using ClipSae.Tensors;
using ClipSae.Clip;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration;

/// <summary>The MLP neurons that write the text-salient features (science, section 4).</summary>
public static class SalientNeurons
{
    /// <summary>A neuron, its score, and what one unit of its activation writes directly into the salient features.</summary>
    public sealed record Neuron(int Layer, int Index, double Score, double Write);

    /// <summary>
    /// <c>score_j = mean over pairs of (a_j(word) − a_j(control)) · Σ_f w_f ⟨W_enc[f], W_proj[:, j]⟩</c> for the neurons of every block at or before
    /// the hook. An SAE on the neurons themselves (<c>mlp@L</c>) reads neuron j of block L directly, so there <c>W_enc[f][j]</c> takes the product's place.
    /// </summary>
    /// <param name="vision">The model's vision tower.</param>
    /// <param name="salient">The features f, weighted with their salience.</param>
    /// <returns>The highest scores of each layer, highest first within a layer.</returns>
    public static IReadOnlyList<Neuron> Find(
        ClipModel model, VisionPlan vision, SaeAtHook at, IReadOnlyList<FeatureScore> salient, WordPairs pairs, int perLayer, int batch, Device device, CancellationToken cancel)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var direction = ReadDirection(at, salient);
        var last = at.Hook.LayerIndex ?? model.Architecture.VisionLayers - 1;
        var layers = at.Hook is HookPoint.Mlp ? [last] : Enumerable.Range(0, last + 1).ToArray();
        var plain = model.PlainStateDict();
        var neurons = new List<Neuron>();
        foreach (var layer in layers)
        {
            var point = new HookPoint.Mlp(layer);
            var difference = (MeanActivation(vision, point, pairs.Word, batch, device, cancel) - MeanActivation(vision, point, pairs.Control, batch, device, cancel));
            var write = at.Hook switch
            {
                HookPoint.Mlp => direction,
                HookPoint.ImageEmbedding => Through(plain, layer).t().mv(plain["visual.proj"].to(ScalarType.Float32).mv(direction)),
                _ => Through(plain, layer).t().mv(direction),
            };
            var (values, indices) = (difference * write).topk((int)Math.Min(perLayer, difference.shape[0]));
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
        var rows = at.Sae.EncoderRows.index_select(0, tensor(salient.Select(s => (long)s.Feature).ToArray(), device: at.Sae.EncoderRows.device));
        var weights = tensor(salient.Select(s => (float)Math.Min(s.Salience, 1e3)).ToArray(), device: rows.device);
        return weights.matmul(rows);
    }

    private static Tensor Through(IReadOnlyDictionary<string, Tensor> plain, int layer) =>
        plain[$"visual.transformer.resblocks.{layer}.mlp.c_proj.weight"].to(ScalarType.Float32);

    /// <summary>Mean activation of each neuron over pictures and tokens, [4·width].</summary>
    private static Tensor MeanActivation(VisionPlan vision, HookPoint point, Tensor pixels, int batch, Device device, CancellationToken cancel)
    {
        var sum = zeros(point.Width(vision.Architecture), device: device);
        for (long from = 0; from < pixels.shape[0]; from += batch)
        {
            cancel.ThrowIfCancellationRequested();
            using var step = NewDisposeScope();
            var hooks = new Hooks().Capture(point);
            vision.Run(PixelNormalization.Apply(pixels.narrow(0, from, Math.Min(batch, pixels.shape[0] - from)).to(device)), hooks);
            sum.AddInPlace(hooks.Captured(point).to(ScalarType.Float32).mean(new long[] { 1 }).sum([0]));
        }

        return sum.Over(pixels.shape[0]);
    }
}
