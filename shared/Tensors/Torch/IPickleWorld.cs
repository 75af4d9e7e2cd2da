namespace ClipSae.Tensors.Torch;

/// <summary>What a pickle may do beyond making containers of plain values.</summary>
internal interface IPickleWorld
{
    /// <summary>The result of calling a global.</summary>
    /// <exception cref="PickleException">The global is not one that may be called, or its arguments do not fit.</exception>
    object? Call(PickleGlobal function, object?[] arguments, long offset);

    /// <summary>What a persistent id stands for.</summary>
    /// <exception cref="PickleException">The id is not one that PyTorch writes.</exception>
    object? Resolve(object? id, long offset);
}
