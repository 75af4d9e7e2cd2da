using Library = Microsoft.ML.Tokenizers;

namespace ClipSae.Clip.Tokenizers;

/// <summary>A SentencePiece model, opened: its file, what it says of itself, and the pieces that it cuts texts into.</summary>
internal sealed class SentencePieces
{
    private const string WordStart = "▁";

    private readonly Library.SentencePieceTokenizer _library;
    private readonly string _path;

    private SentencePieces(byte[] file, string path)
    {
        Model = SentencePieceModel.Read(file, path);
        (File, _path) = (file, path);
        try
        {
            using var stream = new MemoryStream(Model.ForLibrary(file));
            _library = Library.SentencePieceTokenizer.Create(stream, addBeginningOfSentence: false, addEndOfSentence: false);
        }
        catch (Exception failure) when (IsDamage(failure))
        {
            throw Damaged(failure);
        }
    }

    public SentencePieceModel Model { get; }

    /// <summary>The file as it is published with the model.</summary>
    public byte[] File { get; }

    /// <summary>Pieces that begin a word and are in lower case, in the order of the model.</summary>
    public IEnumerable<string> Words =>
        Model
            .Pieces.OfType<string>()
            .Where(piece => piece.StartsWith(WordStart, StringComparison.Ordinal) && piece == Lower(piece))
            .Select(piece => piece[WordStart.Length..]);

    /// <summary>Reads a model.</summary>
    /// <exception cref="UserErrorException">It is too large, damaged, or of another kind; names the file.</exception>
    public static SentencePieces Open(string path) =>
        new FileInfo(path).Length <= SentencePieceModel.MaxFile
            ? new SentencePieces(System.IO.File.ReadAllBytes(path), path)
            : throw new UserErrorException($"{path}: longer than {SentencePieceModel.MaxFile >> 20} MiB, so it is no vocabulary of a CLIP");

    /// <summary>Python's lower() and Rust's: of all letters this one alone becomes two.</summary>
    public static string Lower(string text) => text.ToLowerInvariant().Replace("İ", "i\u0307", StringComparison.Ordinal);

    /// <summary>SentencePiece's own ids.</summary>
    public IEnumerable<int> Encode(string text)
    {
        try
        {
            var ids = _library.EncodeToIds(text);
            // SentencePiece takes what it does not know, side by side, for one piece; the library letter by letter.
            return ids.Where((id, place) => place == 0 || id != Model.Unknown || ids[place - 1] != id);
        }
        catch (Exception failure) when (IsDamage(failure))
        {
            throw Damaged(failure);
        }
    }

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
        new($"{_path}: is damaged: {failure.Message}; download the model's {SentencePieceModel.Names} again", failure);
}
