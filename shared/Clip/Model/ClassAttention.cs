using ClipSae.Clip.Architecture;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.Clip.Model;

/// <summary>
/// Where the class token looks, head by head. Fused attention does not say, so that it is computed from each block's input.
/// </summary>
public static class ClassAttention
{
    /// <summary>Attention of the class token in every block.</summary>
    /// <param name="images">Preprocessed images [batch, 3, R, R].</param>
    /// <returns>float32 [layers, batch, heads, tokens]; the last axis adds up to 1, the class token first.</returns>
    public static torch.Tensor Of(ClipModel model, torch.Tensor images)
    {
        using var noGrad = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var layers = model.Architecture.VisionLayers;
        var hooks = new Hooks();
        for (var layer = 0; layer < layers - 1; layer++)
        {
            hooks.Capture(new HookPoint.Residual(layer));
        }

        model.Run(images, hooks);
        var rows = Enumerable
            .Range(0, layers)
            .Select(layer =>
                OfBlock(
                    model,
                    layer,
                    layer == 0 ? model.Blocks(images, hooks: null, count: 0) : hooks.Captured(new HookPoint.Residual(layer - 1))
                )
            );
        return torch.stack([.. rows]).MoveToOuterDisposeScope();
    }

    /// <param name="stream">The block's input [batch, tokens, width].</param>
    private static torch.Tensor OfBlock(ClipModel model, int layer, torch.Tensor stream)
    {
        var (block, width, heads) = (ClipKeys.VisionBlocks + layer, model.Architecture.VisionWidth, model.Architecture.VisionHeads);
        var normal = Transformer.Norm(stream, block + ".ln_1", (key, _) => model.Weight(key), model.Architecture.Family.NormEpsilon);
        var projected = LinearLayer
            .Apply(
                normal,
                model.Weight(block + ".attn.in_proj_weight").narrow(0, 0, 2 * width),
                model.Weight(block + ".attn.in_proj_bias").narrow(0, 0, 2 * width)
            )
            .view(stream.shape[0], stream.shape[1], 2, heads, width / heads);
        var query = projected.select(2, 0).select(1, 0).unsqueeze(2);
        var keys = projected.select(2, 1).permute(0, 2, 3, 1);
        return query.matmul(keys).squeeze(2).to(torch.float32).Over(Math.Sqrt(width / heads)).softmax(-1);
    }
}
