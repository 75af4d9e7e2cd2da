using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.TestKit.Files;

/// <summary>
/// Outputs of the original PyTorch code on a small CLIP with random weights; the state dicts were rewritten as safetensors, value for
/// value.
/// </summary>
public static class ReferenceFiles
{
    public static string Model => Path("openai_clip_tiny.safetensors");

    public static string Expected => Path("openai_clip_tiny.expected.safetensors");

    public static string GeometricModel => Path("openai_clip_tiny.gmp.safetensors");

    public static string GeometricExpected => Path("openai_clip_tiny.gmp.expected.safetensors");

    public static string Tokens => Path("openai_tokenizer.jsonl");

    public static string Vocabulary => Path("bpe_simple_vocab_16e6.txt.gz");

    public static string Named(string name) => Path(name);

    public static torch.Tensor Read(string path, string key)
    {
        using var file = SafetensorsFile.Open(path);
        return file.Read(key);
    }

    /// <summary>Largest difference over largest magnitude.</summary>
    public static double RelativeError(torch.Tensor actual, torch.Tensor expected)
    {
        actual.shape.ShouldBe(expected.shape);
        using var scope = torch.NewDisposeScope();
        var wide = expected.to(torch.float64);
        return ((actual.detach().to(torch.float64) - wide).abs().max() / wide.abs().max()).item<double>();
    }

    private static string Path(string name) => System.IO.Path.Combine(AppContext.BaseDirectory, "Reference", name);
}
