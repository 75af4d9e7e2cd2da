using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.Clip.Generators;

/// <summary>What an image generator takes from a text encoder: hidden states of every token, padding included.</summary>
/// <param name="Penultimate">Output of the last block but one [texts, context, width], as Stable Diffusion 2, SDXL and 3 take it.</param>
/// <param name="Last">Output of the last block after the final LayerNorm [texts, context, width], as Stable Diffusion 1 takes it.</param>
/// <param name="Pooled">
/// The last state at the end of the text, projected where the encoder has a projection [texts, embed], as SDXL, 3 and Flux take it.
/// </param>
public sealed record TextHiddenStates(torch.Tensor Penultimate, torch.Tensor Last, torch.Tensor Pooled) : IDisposable
{
    /// <summary>Key of the projection, which some generators leave out.</summary>
    internal const string Projection = "text_projection";

    /// <summary>Computes them; no vision tower is needed.</summary>
    /// <param name="architecture">Sizes of the text tower: its width, blocks, heads and activation.</param>
    /// <param name="weights">The text tower's weights under OpenAI's keys, float32.</param>
    /// <param name="tokens">Token ids [texts, context], int64.</param>
    /// <param name="ends">Where each text ends [texts], int64.</param>
    public static TextHiddenStates Compute(
        ClipArchitecture architecture,
        IReadOnlyDictionary<string, torch.Tensor> weights,
        torch.Tensor tokens,
        torch.Tensor ends
    )
    {
        using var inference = torch.inference_mode();
        using var scope = torch.NewDisposeScope();
        torch.Tensor Weight(string key, Func<torch.Tensor, torch.Tensor>? scale = null) =>
            scale is null ? weights[key] : scale(weights[key]);
        var tower = new Transformer(ClipKeys.TextBlocks, architecture.TextWidth, architecture.TextHeads, architecture, Weight);
        var (texts, context) = (tokens.shape[0], tokens.shape[1]);
        var penultimate = Weight("token_embedding.weight")
            .index_select(0, tokens.reshape(-1))
            .view(texts, context, -1)
            .Plus(Weight(ClipKeys.Positions).narrow(0, 0, context));
        for (var layer = 0; layer < architecture.TextLayers - 1; layer++)
        {
            penultimate = tower.Block(layer, penultimate, causal: true, hooks: null);
        }

        var last = Transformer.Norm(
            tower.Block(architecture.TextLayers - 1, penultimate, causal: true, hooks: null),
            "ln_final",
            Weight,
            architecture.Family.NormEpsilon
        );
        var pooled = last.gather(1, ends.view(texts, 1, 1).expand(texts, 1, last.shape[2])).squeeze(1);
        if (weights.ContainsKey(Projection))
        {
            pooled = pooled.matmul(Weight(Projection));
        }

        return new(penultimate.MoveToOuterDisposeScope(), last.MoveToOuterDisposeScope(), pooled.MoveToOuterDisposeScope());
    }

    /// <summary>The same outside of all dispose scopes.</summary>
    public TextHiddenStates Detached() =>
        new(Penultimate.DetachFromDisposeScope(), Last.DetachFromDisposeScope(), Pooled.DetachFromDisposeScope());

    public void Dispose()
    {
        Penultimate.Dispose();
        Last.Dispose();
        Pooled.Dispose();
    }
}
