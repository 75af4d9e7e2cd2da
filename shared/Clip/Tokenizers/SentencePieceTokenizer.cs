using System.Text.RegularExpressions;

namespace ClipSae.Clip.Tokenizers;

/// <summary>
/// SigLIP's tokenizer, a unigram model, and SigLIP 2's, Gemma's BPE, as transformers' SiglipTokenizer and Siglip2Tokenizer use them: lower
/// case, SigLIP's without ASCII punctuation and with single spaces; no start, and padding that the text tower sees.
/// </summary>
public sealed partial class SentencePieceTokenizer : ClipTokenizer
{
    private readonly SentencePieces _pieces;

    internal SentencePieceTokenizer(SentencePieces pieces) => _pieces = pieces;

    /// <summary>Whether it is SigLIP's; otherwise SigLIP 2's.</summary>
    public bool IsUnigram => _pieces.Model.IsUnigram;

    /// <summary>The file as it is published with the model.</summary>
    public ReadOnlyMemory<byte> File => _pieces.File;

    public override int VocabularySize => _pieces.Model.Pieces.Count;

    public override int EndOfText => _pieces.Model.End;

    public override IEnumerable<string> Words => _pieces.Words;

    // SigLIP pads by its end.
    protected override (int? Start, int Padding) Frame =>
        (null, IsUnigram || _pieces.Model.Padding < 0 ? EndOfText : _pieces.Model.Padding);

    public override IEnumerable<int> Encode(string text)
    {
        var lower = SentencePieces.Lower(text);
        return _pieces.Encode(IsUnigram ? Canonical(lower) : lower);
    }

    private static string Canonical(string text) =>
        Spaces()
            .Replace(
                string.Concat(text.Where(letter => !(char.IsAscii(letter) && (char.IsPunctuation(letter) || char.IsSymbol(letter))))),
                " "
            )
            .Trim();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
