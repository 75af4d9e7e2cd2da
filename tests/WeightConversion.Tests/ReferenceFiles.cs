using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.WeightConversion.Tests;

/// <summary>A small CLIP with perturbed r and θ, and what the original PyTorch code gives for it.</summary>
internal static class ReferenceFiles
{
    public static string Plain => Path("openai_clip_tiny.safetensors");

    public static string Geometric => Path("openai_clip_tiny.gmp.safetensors");

    public static string Vocabulary => Path("bpe_simple_vocab_16e6.txt.gz");

    public static string Expected => Path("openai_clip_tiny.expected.safetensors");

    public static string GeometricExpected => Path("openai_clip_tiny.gmp.expected.safetensors");

    public static torch.Tensor Read(string path, string key)
    {
        using var file = SafetensorsFile.Open(path);
        return file.Read(key);
    }

    /// <summary>Writes a copy of a checkpoint after a change to its tensors.</summary>
    public static void Rewrite(string source, string target, Action<Dictionary<string, torch.Tensor>> change)
    {
        using var scope = torch.NewDisposeScope();
        Dictionary<string, torch.Tensor> tensors;
        using (var file = SafetensorsFile.Open(source))
        {
            tensors = file.Entries.Keys.ToDictionary(key => key, file.Read);
        }

        change(tensors);
        SafetensorsWriter.Write(target, tensors);
    }

    private static string Path(string name) => System.IO.Path.Combine(AppContext.BaseDirectory, "Reference", name);
}
