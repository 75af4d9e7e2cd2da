using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;

namespace ClipSae.ZeroShotEvaluation.Tests;

/// <summary>A CLIP with random weights, small enough to run in milliseconds, and a vocabulary that goes with it.</summary>
internal static class SmallClip
{
    public const int Resolution = 32;

    // Before what is made of it: static members are initialised in the order of the text.
    private static IReadOnlyList<(string Left, string Right)> Merges { get; } =
        BpeLearner.Learn(["a photo of a cat", "a photo of a dog", "a photo of a tree", "the word taxi"], 60);

    public static ClipTokenizer Tokenizer { get; } = ClipTokenizer.FromMerges(Merges);

    public static string Write(string path, long seed)
    {
        using var model = ClipModel.Initialize(new ClipArchitecture(32, Resolution, 1, 64, 16, 16, Tokenizer.VocabularySize, 64, 1), seed);
        model.Save(path);
        return path;
    }

    public static string WriteVocabulary(string path)
    {
        File.WriteAllLines(path, ["#version: 0.2", .. Merges.Select(merge => $"{merge.Left} {merge.Right}")]);
        return path;
    }
}
