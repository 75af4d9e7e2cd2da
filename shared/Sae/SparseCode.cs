using static TorchSharp.torch;

namespace ClipSae.Sae;

/// <summary>Latents of a batch, kept sparse.</summary>
/// <param name="Values">Activations [rows, k], float32, not negative; 0 where a row has fewer than k active latents.</param>
/// <param name="Indices">Their latents [rows, k], int64.</param>
public sealed record SparseCode(Tensor Values, Tensor Indices);
