using ClipSae.Clip.Architecture;
using ClipSae.Tensors;
using TorchSharp;
using static TorchSharp.torch.nn.functional;

namespace ClipSae.Clip.Model;

/// <summary>
/// SigLIP's head: a learned probe attends to all tokens, and an MLP is added to what it finds (multihead attention pooling, arXiv
/// 2106.04560, section 3.4). It takes the place of class token and projection.
/// </summary>
internal sealed class AttentionPooling(ClipArchitecture architecture, NamedWeight weight)
{
    private readonly (int Width, int Heads, double Epsilon) _sizes = (
        architecture.VisionWidth,
        architecture.VisionHeads,
        architecture.Family.NormEpsilon
    );

    /// <param name="tokens">The last block's output [batch, tokens, width].</param>
    /// <returns>Image features [batch, width].</returns>
    public torch.Tensor Apply(torch.Tensor tokens)
    {
        using var scope = torch.NewDisposeScope();
        var (batch, (width, heads, epsilon)) = (tokens.shape[0], _sizes);
        var normal = Transformer.Norm(tokens, ClipKeys.VisionNorm, weight, epsilon);
        var (inWeight, inBias) = (weight(ClipKeys.Head + "attn.in_proj_weight"), weight(ClipKeys.Head + "attn.in_proj_bias"));
        torch.Tensor Part(torch.Tensor rows, int first, int parts) =>
            LinearLayer
                .Apply(rows, inWeight.narrow(0, first * width, parts * width), inBias.narrow(0, first * width, parts * width))
                .view(rows.shape[0], -1, parts, heads, width / heads);
        var keysValues = Part(normal, 1, 2).unbind(2);
        var query = Part(weight(ClipKeys.Probe).to(normal.dtype), 0, 1).squeeze(2).expand(batch, 1, heads, width / heads);
        var mixed = scaled_dot_product_attention(query.transpose(1, 2), keysValues[0].transpose(1, 2), keysValues[1].transpose(1, 2))
            .transpose(1, 2)
            .reshape(batch, width);
        var found = LinearLayer.Apply(mixed, weight(ClipKeys.Head + "attn.out_proj.weight"), weight(ClipKeys.Head + "attn.out_proj.bias"));
        var neurons = Neurons(Transformer.Norm(found, ClipKeys.Head + "ln_1", weight, epsilon));
        var (project, bias) = (weight(ClipKeys.Head + "mlp.c_proj.weight", Flatten), weight(ClipKeys.Head + "mlp.c_proj.bias"));
        return found.Plus(LinearLayer.Apply(neurons, project, bias)).MoveToOuterDisposeScope();
    }

    private Func<torch.Tensor, torch.Tensor>? Steepen =>
        architecture.Activation.Slope == 1 ? null : one => one.Times(architecture.Activation.Slope);

    private Func<torch.Tensor, torch.Tensor>? Flatten =>
        architecture.Activation.Slope == 1 ? null : one => one.Over(architecture.Activation.Slope);

    private torch.Tensor Neurons(torch.Tensor normal) =>
        architecture.Activation.Apply(
            LinearLayer.Apply(normal, weight(ClipKeys.Head + "mlp.c_fc.weight", Steepen), weight(ClipKeys.Head + "mlp.c_fc.bias", Steepen))
        );
}
