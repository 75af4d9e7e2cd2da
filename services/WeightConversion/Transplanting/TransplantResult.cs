using System.Globalization;
using ClipSae.Clip.Generators;

namespace ClipSae.WeightConversion.Transplanting;

/// <summary>What was written into an image generator, and what it changes for it.</summary>
/// <param name="Encoder">Which of the generator's text encoders was replaced.</param>
/// <param name="Tensors">Tensors written; every other byte is the generator's.</param>
/// <param name="Dtype">Element type of the encoder in the generator, which stays.</param>
/// <param name="Blocks">Transformer blocks of the encoder there; fewer than the model's where the generator never takes the last one's
/// output.</param>
/// <param name="Context">Tokens of a text there.</param>
/// <param name="ModelContext">Tokens of a text that the model takes; only the first <paramref name="Context"/> positions are in the
/// generator.</param>
/// <param name="Prompts">Prompts that the change was measured on.</param>
/// <param name="HiddenStates">The change, by state and kind of token.</param>
/// <param name="Generator">Digests of the generator's files that hold the encoder.</param>
/// <param name="Model">Digests of the model's files.</param>
/// <param name="Files">Digests of the files that were written with the model's weights.</param>
public sealed record TransplantResult(
    string Encoder,
    int Tensors,
    string Dtype,
    int Blocks,
    int Context,
    int ModelContext,
    int Prompts,
    IReadOnlyList<HiddenStateChange> HiddenStates,
    IReadOnlyDictionary<string, string> Generator,
    IReadOnlyDictionary<string, string> Model,
    IReadOnlyDictionary<string, string> Files
)
{
    /// <summary>Below this cosine the model was hardly tuned from the encoder that it replaces.</summary>
    private const double Unrelated = 0.5;

    /// <summary>What the user should know in addition to the metrics, one line each.</summary>
    public IEnumerable<string> Notes()
    {
        if (ModelContext > Context)
        {
            yield return $"The model reads {ModelContext} tokens, the generator gives it {Context}: "
                + $"the first {Context} positions were written, and prompts of that length give the model's own states.";
        }

        if (
            HiddenStates.First(change => change is { State: HiddenStateChange.Penultimate, Tokens: TokenKind.Prompt }).MeanCosine
            is < Unrelated
                and var cosine
        )
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"The new hidden states hardly resemble the generator's (mean cosine {cosine:0.00}): "
                    + $"the model was probably not fine-tuned from this encoder, and its pictures will not follow the prompt."
            );
        }
    }
}
