namespace ClipSae.Tensors.Torch;

/// <summary>The ways in which PyTorch writes files.</summary>
public enum TorchFileKind
{
    /// <summary>A zip archive, as <c>torch.save</c> writes since 1.6.</summary>
    Zip,

    /// <summary>Pickles and raw storages one behind the other, as <c>torch.save</c> wrote before 1.6.</summary>
    Legacy,

    /// <summary>A TorchScript archive, as <c>torch.jit.save</c> writes; OpenAI's downloads are of this kind.</summary>
    Script,
}
