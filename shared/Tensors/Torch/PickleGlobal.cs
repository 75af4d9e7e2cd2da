namespace ClipSae.Tensors.Torch;

/// <summary>A name that a pickle asks Python to import. Nothing is ever imported: names that are not known stay names.</summary>
/// <param name="Offset">Byte of the pickle that asks for it.</param>
internal sealed record PickleGlobal(string Module, string Name, long Offset)
{
    public override string ToString() => $"{Module}.{Name}";
}
