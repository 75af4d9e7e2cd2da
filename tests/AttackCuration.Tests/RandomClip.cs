using ClipSae.AttackCuration.Images;
using ClipSae.AttackCuration.Salience;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;
using ClipSae.Sae;
using ClipSae.Sae.Encoding;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration.Tests;

/// <summary>A tiny CLIP and SAEs with random weights: what is computed on them has no structure that could hide an error.</summary>
internal static class RandomClip
{
    public const int Resolution = 32;
    private static readonly string[] Names = ["cat", "dog", "tree", "car"];

    // Before what is made of it: static members are initialised in the order of the text.
    private static readonly IReadOnlyList<(string Left, string Right)> Merges = BpeLearner.Learn(
        Names.Select(name => $"a photo of a {name}"),
        60
    );

    public static IReadOnlyList<string> Classes => Names;

    public static ClipTokenizer Tokenizer { get; } = ClipTokenizer.FromMerges(Merges);

    public static string Vocabulary { get; } = BpeLearner.Format(Merges);

    public static ClipArchitecture Architecture { get; } = new(32, Resolution, 2, 64, 8, 16, Tokenizer.VocabularySize, 64, 1);

    /// <summary>Another activation, narrower heads and MLPs that are not 4 times as wide.</summary>
    public static ClipArchitecture Other { get; } =
        Architecture with
        {
            Activation = MlpActivation.Gelu,
            VisionHeads = 4,
            VisionNeurons = 200,
        };

    public static ClipModel Create(ClipArchitecture? architecture = null) => ClipModel.Initialize(architecture ?? Architecture, 5);

    public static SaeAtHook Autoencoder(ClipModel model, HookPoint point, int latents = 48, int k = 8)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(7, CPU);
        var width = point.Width(model.Architecture);
        var encoder = nn.functional.normalize(randn(latents, width, generator: generator), dim: 1);
        var decoder = nn.functional.normalize(randn(latents, width, generator: generator), dim: 1);
        return new SaeAtHook(
            point.ToString(),
            point,
            new SparseAutoencoder(new SaeVariant.TopK(k), encoder, decoder, zeros(latents), zeros(width), 1)
        );
    }

    /// <summary>Pictures of noise without any relation between the versions but a common part.</summary>
    public static WordPairs Pairs(int count)
    {
        using var generator = new Generator(11, CPU);
        Tensor Noise() => randint(0, 256, new long[] { count, 3, Resolution, Resolution }, ScalarType.Byte, generator: generator);
        string Name(int index) => Names[index % Names.Length];
        return new WordPairs(
            Noise(),
            Noise(),
            Noise(),
            [.. Enumerable.Range(0, count).Select(Name)],
            [.. Enumerable.Range(1, count).Select(Name)]
        );
    }
}
