namespace ClipSae.Tensors.Torch;

/// <summary>An object whose class stays unknown; only its state is kept.</summary>
internal sealed class PickleObject(PickleGlobal type)
{
    public PickleGlobal Type => type;

    /// <summary>What the pickle gives to the object's <c>__setstate__</c>; null before.</summary>
    public object? State { get; set; }
}
