using ClipSae.Clip.Architecture;
using TorchSharp;
using TorchSharp.Modules;

namespace ClipSae.Clip.Model;

public sealed partial class ClipModel
{
    private int? _nullBlock;

    /// <summary>The vector that joins the vision tower's tokens, a parameter of the model; null if there is none.</summary>
    public NullToken? NullToken => _nullBlock is { } block ? new NullToken(block, _internal_params[NullTokenKey(block)]) : null;

    /// <summary>Gives the vision tower a null token, in the place of one that it may have; its value is copied.</summary>
    /// <exception cref="UserErrorException">The token is that of a model of other sizes.</exception>
    public void Attach(NullToken token)
    {
        UserErrorException.ThrowIf(
            token.Block < 0
                || token.Block >= Architecture.VisionLayers
                || token.Value.dim() != 1
                || token.Value.shape[0] != Architecture.VisionWidth,
            $"the null token of {token.Value.NumberOfElements} numbers before block {token.Block} does not fit this model, "
                + $"whose vision tower has blocks 0 to {Architecture.VisionLayers - 1} of width {Architecture.VisionWidth}"
        );

        DetachNullToken();
        _nullBlock = token.Block;
        using var scope = torch.NewDisposeScope();
        register_parameter(
            NullTokenKey(token.Block),
            new Parameter(token.Value.detach().to(LogitScale.dtype).to(LogitScale.device).clone().DetachFromDisposeScope())
        );
    }

    /// <summary>Takes the null token away, if there is one.</summary>
    public void DetachNullToken()
    {
        if (_nullBlock is { } block)
        {
            _internal_params[NullTokenKey(block)].Dispose();
            _internal_params.Remove(NullTokenKey(block));
            _nullBlock = null;
        }
    }

    private static string NullTokenKey(int block) => FormattableString.Invariant($"{ClipKeys.NullToken}{block}");

    /// <returns>A block's input [batch, tokens, width], with the null token behind the others where the block is the first that sees
    /// it.</returns>
    private torch.Tensor WithNullToken(int layer, torch.Tensor x) =>
        layer == _nullBlock ? torch.cat([x, WeightInUse(NullTokenKey(layer)).to(x.dtype).expand(x.shape[0], 1, x.shape[2])], 1) : x;
}
