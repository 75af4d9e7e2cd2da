using ClipSae.Clip.Architecture;
using TorchSharp;

namespace ClipSae.WeightConversion.Proofs;

/// <summary>Random images and texts that go through both towers of source and written model.</summary>
/// <param name="Images">[images, 3, R, R], float32.</param>
/// <param name="Tokens">[texts, context], int64.</param>
internal sealed record Probes(torch.Tensor Images, torch.Tensor Tokens)
{
    /// <summary>Probes for a model of these sizes, the same for the same seed.</summary>
    public static Probes Draw(ClipArchitecture architecture, long seed, int images, int texts)
    {
        using var generator = new torch.Generator((ulong)seed);
        var side = architecture.ImageResolution;
        return new Probes(torch.randn([images, 3, side, side], generator: generator), Texts(architecture, texts, generator));
    }

    // Start, words of growing number, end, zeros: as the tokenizer would give them.
    private static torch.Tensor Texts(ClipArchitecture a, int count, torch.Generator generator)
    {
        if (!a.Family.IsTextCausal)
        {
            // All positions are seen, whatever stands there.
            return torch.randint(0, a.VocabularySize, [count, a.ContextLength], dtype: torch.int64, generator: generator);
        }

        var (start, end) = a.Family.MarksOf(a.VocabularySize);
        // Words are before both marks, or behind them.
        var (first, behind) = start > 0 ? (0, start) : (end + 1, a.VocabularySize);
        var tokens = torch.zeros([count, a.ContextLength], dtype: torch.int64);
        for (var row = 0; row < count; row++)
        {
            // The last one fills the context, so that every position is proved.
            var words = row == count - 1 ? a.ContextLength - 2 : Math.Min(1 + row, a.ContextLength - 2);
            tokens[row, 0] = start;
            tokens[row].narrow(0, 1, words).copy_(torch.randint(first, behind, [words], dtype: torch.int64, generator: generator));
            tokens[row, words + 1] = end;
        }

        return tokens;
    }
}
