namespace ClipSae.Tensors.Installation;

/// <summary>One NVIDIA card.</summary>
/// <param name="Index">Its number N in <c>cuda:N</c>.</param>
/// <param name="Name">As its driver names it, <c>NVIDIA H200</c>.</param>
/// <param name="Bytes">Its memory.</param>
public sealed record CudaCard(int Index, string Name, long Bytes);
