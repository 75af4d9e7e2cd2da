using TorchSharp;

namespace ClipSae.Clip.Architecture;

/// <summary>
/// Long-CLIP's two positional embeddings of the text tower: the model uses rows below 20 of the first and the others of the second
/// (arXiv 2403.15378; Long-CLIP, model/model_longclip.py). The other rows are there, but reach no result and get no gradient.
/// </summary>
public static class LongPositions
{
    /// <summary>Rows that are taken from the first embedding.</summary>
    public const int KeptRows = 20;

    /// <summary>The rows of one of the two embeddings that the model uses.</summary>
    /// <param name="key"><see cref="ClipKeys.Positions"/> or <see cref="ClipKeys.StretchedPositions"/>.</param>
    /// <param name="embedding">[context, width].</param>
    public static torch.Tensor Used(string key, torch.Tensor embedding) =>
        key == ClipKeys.Positions ? embedding.narrow(0, 0, KeptRows) : embedding.narrow(0, KeptRows, embedding.shape[0] - KeptRows);

    /// <summary>The positions that the model adds.</summary>
    /// <param name="kept">The first embedding, [context, width].</param>
    /// <param name="stretched">The second, of the same sizes.</param>
    /// <returns>[context, width], in the type of the first.</returns>
    public static torch.Tensor Join(torch.Tensor kept, torch.Tensor stretched)
    {
        using var scope = torch.NewDisposeScope();
        return torch
            .cat([Used(ClipKeys.Positions, kept), Used(ClipKeys.StretchedPositions, stretched).to(kept.dtype)], 0)
            .MoveToOuterDisposeScope();
    }
}
