namespace ClipSae.Clip.Tokenizers;

/// <summary>
/// MetaCLIP 2's tokenizer, XLM-V's unigram model (arXiv 2301.10472), as transformers' XLMRobertaTokenizer uses it: texts as they are, and
/// the ids of fairseq, which has start, padding, end and unknown before SentencePiece's pieces and a mask behind them.
/// </summary>
public sealed class XlmTokenizer : ClipTokenizer
{
    /// <summary>Where the vocabulary is published.</summary>
    public const string Repository = "facebook/xlm-v-base";

    private const int Start = 0;
    private const int Padding = 1;
    private const int End = 2;
    private const int Unknown = 3;

    /// <summary>SentencePiece begins with unknown, start and end, and has no padding.</summary>
    private const int Offset = 1;

    private readonly SentencePieces _pieces;

    internal XlmTokenizer(SentencePieces pieces) => _pieces = pieces;

    /// <summary>The file as it is published with the model.</summary>
    public ReadOnlyMemory<byte> File => _pieces.File;

    public override int VocabularySize => _pieces.Model.Pieces.Count + Offset + 1;

    public override int EndOfText => End;

    public override IEnumerable<string> Words => _pieces.Words;

    protected override (int? Start, int Padding) Frame => (Start, Padding);

    public override IEnumerable<int> Encode(string text) =>
        _pieces.Encode(text).Select(id => id == _pieces.Model.Unknown ? Unknown : id + Offset);
}
