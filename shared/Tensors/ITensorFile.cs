using ClipSae.Contracts;
using TorchSharp;

namespace ClipSae.Tensors;

/// <summary>A file of named tensors, of whatever format. It is checked when it is opened; tensors are read when they are asked for.</summary>
public interface ITensorFile : IDisposable
{
    /// <summary>Every tensor by name.</summary>
    IReadOnlyDictionary<string, TensorEntry> Entries { get; }

    /// <summary>Free-form texts that the file carries beside its tensors.</summary>
    IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Copies a tensor out of the file; the caller owns it.</summary>
    /// <exception cref="UserErrorException">No such key, or an element type TorchSharp does not know.</exception>
    torch.Tensor Read(string name);

    /// <summary>Copies many tensors out of the file, as quickly as it can; the caller owns them.</summary>
    /// <exception cref="UserErrorException">No such key, or an element type TorchSharp does not know.</exception>
    IReadOnlyList<torch.Tensor> ReadAll(IReadOnlyList<string> names) => [.. names.Select(Read)];
}
