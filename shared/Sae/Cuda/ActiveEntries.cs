using static TorchSharp.torch;

namespace ClipSae.Sae.Cuda;

/// <summary>The active latents of a batch, row by row and in each row by latent.</summary>
/// <param name="Index">Latent of each entry, int32 [entries]; d_sae where an entry stands for none.</param>
/// <param name="Value">Its activation, float32 [entries].</param>
/// <param name="RowStarts">Where each row's entries begin, int32 [rows + 1]; null where each has k.</param>
/// <param name="RowOf">Row of each entry, int32 [entries]; null where each row has k.</param>
internal sealed record ActiveEntries(Tensor Index, Tensor Value, Tensor? RowStarts, Tensor? RowOf);
