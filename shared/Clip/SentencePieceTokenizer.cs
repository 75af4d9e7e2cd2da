using System.Text.RegularExpressions;
using ClipSae.Contracts;
using Library = Microsoft.ML.Tokenizers;

namespace ClipSae.Clip;

/// <summary>
/// SigLIP's tokenizer, a unigram model, and SigLIP 2's, Gemma's BPE, as transformers' SiglipTokenizer and Siglip2Tokenizer use them: lower
/// case, SigLIP's without ASCII punctuation and with single spaces; no start, and padding that the text tower sees.
/// </summary>
public sealed partial class SentencePieceTokenizer : ClipTokenizer
{
    private const string WordStart = "▁";

    private readonly SentencePieceModel _model;
    private readonly Library.SentencePieceTokenizer _library;
    private readonly string _path;

    private SentencePieceTokenizer(byte[] file, string path)
    {
        _model = SentencePieceModel.Read(file, path);
        (File, _path) = (file, path);
        try
        {
            using var stream = new MemoryStream(_model.ForLibrary(file));
            _library = Library.SentencePieceTokenizer.Create(stream, addBeginningOfSentence: false, addEndOfSentence: false);
        }
        catch (Exception failure) when (IsDamage(failure))
        {
            throw Damaged(failure);
        }
    }

    /// <summary>Whether it is SigLIP's; otherwise SigLIP 2's.</summary>
    public bool IsUnigram => _model.IsUnigram;

    /// <summary>The file as it is published with the model.</summary>
    public ReadOnlyMemory<byte> File { get; }

    public override int VocabularySize => _model.Pieces.Count;

    public override int EndOfText => _model.End;

    public override IEnumerable<string> Words =>
        _model
            .Pieces.OfType<string>()
            .Where(piece => piece.StartsWith(WordStart, StringComparison.Ordinal) && piece == Lower(piece))
            .Select(piece => piece[WordStart.Length..]);

    // SigLIP pads by its end.
    protected override (int? Start, int Padding) Frame => (null, IsUnigram || _model.Padding < 0 ? _model.End : _model.Padding);

    public override IEnumerable<int> Encode(string text)
    {
        try
        {
            var ids = _library.EncodeToIds(IsUnigram ? Canonical(Lower(text)) : Lower(text));
            // SentencePiece takes what it does not know, side by side, for one piece; the library letter by letter.
            return ids.Where((id, place) => place == 0 || id != _model.Unknown || ids[place - 1] != id);
        }
        catch (Exception failure) when (IsDamage(failure))
        {
            throw Damaged(failure);
        }
    }

    /// <summary>Reads a model.</summary>
    /// <exception cref="UserErrorException">It is too large, damaged, or of another kind; names the file.</exception>
    internal static SentencePieceTokenizer Open(string path) =>
        new FileInfo(path).Length <= SentencePieceModel.MaxFile
            ? new SentencePieceTokenizer(System.IO.File.ReadAllBytes(path), path)
            : throw new UserErrorException($"{path}: longer than {SentencePieceModel.MaxFile >> 20} MiB, so it is not a SigLIP vocabulary");

    // Python's lower() and Rust's: of all letters this one alone becomes two.
    private static string Lower(string text) => text.ToLowerInvariant().Replace("İ", "i\u0307", StringComparison.Ordinal);

    private static string Canonical(string text) =>
        Spaces()
            .Replace(
                string.Concat(text.Where(letter => !(char.IsAscii(letter) && (char.IsPunctuation(letter) || char.IsSymbol(letter))))),
                " "
            )
            .Trim();

    // What the library throws at a table whose places point outside of it.
    private static bool IsDamage(Exception failure) =>
        failure
            is ArgumentException
                or IndexOutOfRangeException
                or InvalidDataException
                or InvalidOperationException
                or KeyNotFoundException
                or NullReferenceException
                or OverflowException
                or IOException;

    private UserErrorException Damaged(Exception failure) =>
        new($"{_path}: is damaged: {failure.Message}; download the model's spiece.model or tokenizer.model again", failure);

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
