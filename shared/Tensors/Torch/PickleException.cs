namespace ClipSae.Tensors.Torch;

/// <summary>A pickle that cannot be read; <see cref="TorchFile"/> adds the file's name.</summary>
internal sealed class PickleException(long offset, string reason) : Exception(reason)
{
    /// <summary>Byte of the pickle at which the trouble is.</summary>
    public long Offset => offset;
}
