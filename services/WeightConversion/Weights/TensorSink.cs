using ClipSae.Clip.Checkpoints;
using ClipSae.Tensors;
using ClipSae.Tensors.Torch;

namespace ClipSae.WeightConversion.Weights;

/// <summary>Writes tensors one at a time, so that a checkpoint larger than memory can be converted.</summary>
internal static class TensorSink
{
    /// <summary>Written into the header of every safetensors file; <c>transformers</c> refuses files without it.</summary>
    private static readonly Dictionary<string, string> Format = new() { ["format"] = "pt" };

    public static void Safetensors(
        string path,
        IEnumerable<WrittenTensor> tensors,
        ConversionMaterial material,
        IReadOnlyDictionary<string, string>? metadata = null
    )
    {
        var byName = tensors.ToDictionary(tensor => tensor.Layout.Name, StringComparer.Ordinal);
        SafetensorsWriter.WriteStreaming(
            path,
            byName.Values.Select(tensor => tensor.Layout),
            name => Make(byName[name], material),
            ModelTraits.Added(metadata ?? Format, material.Architecture)
        );
    }

    /// <exception cref="UserErrorException">The model is not OpenAI's in what such a file cannot say.</exception>
    public static void Torch(string path, IEnumerable<WrittenTensor> tensors, ConversionMaterial material)
    {
        UserErrorException.ThrowIf(
            !material.Architecture.IsOpenAi,
            $"{Path.GetFileName(path)}: a state dict of torch.save cannot say that the model has "
                + $"{material.Architecture.Activation}, {material.Architecture.VisionHeads} and {material.Architecture.TextHeads} "
                + $"heads, and its loaders take OpenAI's for granted; convert to open-clip, huggingface or openai instead"
        );

        var inOrder = tensors.ToList();
        var byName = inOrder.ToDictionary(tensor => tensor.Layout.Name, StringComparer.Ordinal);
        TorchWriter.WriteStreaming(path, [.. inOrder.Select(tensor => tensor.Layout)], name => Make(byName[name], material));
    }

    private static TorchSharp.torch.Tensor Make(WrittenTensor tensor, ConversionMaterial material)
    {
        material.Cancel.ThrowIfCancellationRequested();
        material.Written?.Invoke();
        return tensor.Make().DetachFromDisposeScope();
    }
}
