using TorchSharp;

namespace ClipSae.Tensors;

/// <summary>
/// A file of named tensors, of whatever format. It is checked when it is opened; tensors are read when they are asked for.
/// </summary>
public interface ITensorFile : IDisposable
{
    /// <summary>Every tensor by name.</summary>
    IReadOnlyDictionary<string, TensorEntry> Entries { get; }

    /// <summary>Free-form texts that the file carries next to its tensors.</summary>
    IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The modules of a pickled or scripted model, which say more about it than its tensors; empty for other files.</summary>
    IReadOnlyList<PickledModule> Modules => [];

    /// <summary>Copies a tensor out of the file; the caller owns it.</summary>
    /// <exception cref="UserErrorException">No such key, or an element type TorchSharp does not know.</exception>
    torch.Tensor Read(string name);

    /// <summary>Copies a tensor out of the file, and counts what of it is NaN or infinite on the way; the caller owns it.</summary>
    /// <exception cref="UserErrorException">No such key, or an element type TorchSharp does not know.</exception>
    torch.Tensor Read(string name, NonFiniteValues nonFinite);

    /// <summary>
    /// Copies many tensors out of the file, as quickly as it can, and counts what of them is NaN or infinite; the caller owns them.
    /// </summary>
    /// <exception cref="UserErrorException">No such key, or an element type TorchSharp does not know.</exception>
    IReadOnlyList<torch.Tensor> ReadAll(IReadOnlyList<string> names, NonFiniteValues nonFinite) =>
        [.. names.Select(name => Read(name, nonFinite))];
}
