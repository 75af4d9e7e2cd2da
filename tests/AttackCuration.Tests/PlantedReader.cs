using ClipSae.AttackCuration.Images;
using ClipSae.AttackCuration.Salience;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;
using ClipSae.Sae;
using ClipSae.Sae.Encoding;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration.Tests;

/// <summary>
/// A CLIP whose vision tower was written by hand: red pictures are cats, green ones dogs, and a patch of stripes is a printed word, upright
/// for "cat" and level for "dog", which neurons 0 and 1 of the first block read and which outweighs the colour. A chequered patch has the
/// same ink and cannot be read. The SAE at mlp@0 has one latent a neuron, so what is text-salient is known beforehand: latents 0 and 1.
/// </summary>
internal sealed class PlantedReader : IDisposable
{
    public const int Resolution = 32;
    public const int Pairs = 24;
    private const int Patch = 8;
    private const int Width = 64;
    private const int Neurons = 4 * Width;
    private static readonly string[] Names = ["cat", "dog"];
    private static readonly IReadOnlyList<(string Left, string Right)> Merges = BpeLearner.Learn(
        ["a photo of a cat", "a photo of a dog"],
        40
    );

    // Components of the residual stream: what a patch shows, and what it says.
    private const int Red = 0;
    private const int Green = 1;
    private const int Upright = 3;
    private const int Level = 4;
    private const int Chequered = 5;
    private const int SaysCat = 20;
    private const int SaysDog = 21;

    /// <summary>
    /// What neuron j of the first block reads. The first two write what they read; the others are there to be told apart from them.
    /// </summary>
    private static readonly int[] Reads = [Upright, Level, Red, Green, Chequered];

    public PlantedReader()
    {
        Model = Write();
        Vision = VisionPlan.Compile(Model);
        Classifier = ZeroShotClassifier.Create(Model, ClipTokenizer.FromMerges(Merges), Names, ["a photo of a {}"]);
        AtNeurons = new SaeAtHook("mlp@0", new HookPoint.Mlp(0), Identity(Neurons));
        AtResidual = new SaeAtHook("residual@0", new HookPoint.Residual(0), Identity(Width));
    }

    public static IReadOnlyList<int> ReadingNeurons { get; } = [0, 1];

    public ClipModel Model { get; }

    public VisionPlan Vision { get; }

    public ZeroShotClassifier Classifier { get; }

    /// <summary>One latent a neuron of the first block.</summary>
    public SaeAtHook AtNeurons { get; }

    /// <summary>One latent a component of the first block's output; 20 and 21 are what the picture says.</summary>
    public SaeAtHook AtResidual { get; }

    public static IReadOnlyList<int> SayingComponents { get; } = [SaysCat, SaysDog];

    /// <summary>Pictures of cats and dogs in turn, in shades of their own, with the other's name.</summary>
    public static WordPairs Draw()
    {
        using var scope = NewDisposeScope();
        var clean = zeros(new long[] { Pairs, 3, Resolution, Resolution }, ScalarType.Byte);
        for (var i = 0; i < Pairs; i++)
        {
            clean[i, i % 2].fill_(180 + i);
        }

        var (word, control) = (clean.clone(), clean.clone());
        for (var i = 0; i < Pairs; i++)
        {
            for (var y = 0; y < Patch; y++)
            {
                for (var x = 0; x < Patch; x++)
                {
                    word[i, .., Patch + y, Patch + x] = Shade(i % 2 == 0 ? y : x);
                    control[i, .., Patch + y, Patch + x] = Shade(x + y);
                }
            }
        }

        return new WordPairs(
            clean.DetachFromDisposeScope(),
            word.DetachFromDisposeScope(),
            control.DetachFromDisposeScope(),
            [.. Enumerable.Range(0, Pairs).Select(i => Names[i % 2])],
            [.. Enumerable.Range(0, Pairs).Select(i => Names[(i + 1) % 2])]
        );
    }

    public void Dispose()
    {
        AtNeurons.Sae.Dispose();
        AtResidual.Sae.Dispose();
        Classifier.Dispose();
        Vision.Dispose();
        Model.Dispose();
    }

    private static Tensor Shade(int line) => tensor((byte)(line % 2 == 0 ? 255 : 0));

    private static SparseAutoencoder Identity(int width)
    {
        using var scope = NewDisposeScope();
        return new SparseAutoencoder(new SaeVariant.TopK(width), eye(width), eye(width), zeros(width), zeros(width), 1);
    }

    private static ClipModel Write()
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var tokenizer = ClipTokenizer.FromMerges(Merges);
        using var random = ClipModel.Initialize(
            new ClipArchitecture(32, Resolution, 2, Width, Patch, 12, tokenizer.VocabularySize, 64, 1),
            3
        );
        using var texts = ZeroShotClassifier.Create(random, tokenizer, Names, ["a photo of a {}"]);
        var weights = random.StateDict().ToDictionary(w => w.Key, w => w.Value.clone());
        foreach (
            var (key, weight) in weights.Where(w =>
                w.Key.StartsWith("visual.", StringComparison.Ordinal) && !w.Key.Contains("ln_", StringComparison.Ordinal)
            )
        )
        {
            weight.zero_();
        }

        weights["visual.class_embedding"][40] = 1;
        var kernels = weights["visual.conv1.weight"];
        kernels[Red, 0].fill_(0.1);
        kernels[Green, 1].fill_(0.1);
        for (var y = 0; y < Patch; y++)
        {
            for (var x = 0; x < Patch; x++)
            {
                kernels[Upright, .., y, x] = x % 2 == 0 ? 1 : -1;
                kernels[Level, .., y, x] = y % 2 == 0 ? 1 : -1;
                kernels[Chequered, .., y, x] = (x + y) % 2 == 0 ? 1 : -1;
            }
        }

        for (var neuron = 0; neuron < Reads.Length; neuron++)
        {
            weights["visual.transformer.resblocks.0.mlp.c_fc.weight"][neuron, Reads[neuron]] = 1;
            weights["visual.transformer.resblocks.0.mlp.c_fc.bias"][neuron] = -4;
        }

        weights["visual.transformer.resblocks.0.mlp.c_proj.weight"][SaysCat, 0] = 3;
        weights["visual.transformer.resblocks.0.mlp.c_proj.weight"][SaysDog, 1] = 3;
        // The second block only averages: equal attention everywhere, values as they are.
        weights["visual.transformer.resblocks.1.attn.in_proj_weight"].narrow(0, 2 * Width, Width).copy_(eye(Width));
        weights["visual.transformer.resblocks.1.attn.out_proj.weight"].copy_(eye(Width));
        var towardsCat = texts.Embeddings[0] - texts.Embeddings[1];
        foreach (var (component, factor) in new[] { (Red, 1), (Green, -1), (SaysCat, 60), (SaysDog, -60) })
        {
            weights["visual.proj"][component] = factor * towardsCat;
        }

        return ClipModel.FromStateDict(weights);
    }
}
