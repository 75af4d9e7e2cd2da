namespace ClipSae.Tensors.Cuda;

/// <summary>A kernel could not be compiled, loaded or launched.</summary>
public sealed class CudaException(string message) : Exception(message);
