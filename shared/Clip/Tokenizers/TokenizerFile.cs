using System.IO.Compression;
using System.IO.Enumeration;
using System.Text;
using System.Text.Json;
using ClipSae.Tensors;

namespace ClipSae.Clip.Tokenizers;

/// <summary>
/// The forms in which vocabularies are kept. SentencePiece's are read by <see cref="SentencePieces"/>; here are three of CLIP's
/// merges: OpenAI's <c>bpe_simple_vocab_16e6.txt.gz</c> (also unpacked, or as <c>merges.txt</c> next to <c>vocab.json</c>), and
/// <c>tokenizer.json</c>. Ids follow from the order of the merges; where a file lists ids too, they must agree.
/// </summary>
internal static class TokenizerFile
{
    /// <summary>OpenAI's file lists more merges than the model uses (simple_tokenizer.py: 49152 − 256 − 2).</summary>
    private const int MaxMerges = 49152 - 256 - 2;

    private const int MaxTextLength = 32 << 20;

    private static readonly string[] Patterns =
    [
        "*bpe*.txt.gz",
        "*bpe*.txt",
        "merges.txt",
        "spiece.model",
        "tokenizer.model",
        "sentencepiece.bpe.model",
        "tokenizer.json",
    ];

    /// <summary>The tokenizer file that is in a folder, or null.</summary>
    public static string? In(string folder) =>
        Patterns.SelectMany(pattern => Directory.EnumerateFiles(folder, pattern).Order(StringComparer.Ordinal)).FirstOrDefault();

    /// <summary>
    /// Whether a file has one of the names under which tokenizers are kept; <c>vocab.json</c> goes with <c>merges.txt</c>.
    /// </summary>
    public static bool IsNamed(string name) =>
        name == "vocab.json" || Patterns.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false));

    /// <exception cref="UserErrorException">The file is missing or no vocabulary of CLIP's kind; names file and place.</exception>
    public static ClipTokenizer Load(string path)
    {
        try
        {
            if (SentencePieceModel.IsOne(ForeignFile.Start(path)))
            {
                var pieces = SentencePieces.Open(path);
                return pieces.Model.IsXlm ? new XlmTokenizer(pieces) : new SentencePieceTokenizer(pieces);
            }

            var text = ForeignFile.Start(path).Length > 0 ? ReadText(path) : "";
            return text.AsSpan().TrimStart().StartsWith("{") ? FromJson(path, text)
                : ForeignFile.Recognise(Encoding.UTF8.GetBytes(text[..Math.Min(text.Length, ForeignFile.PrefixLength)])) is { } foreign
                    ? throw new UserErrorException($"{path}: {foreign} (byte 0); CLIP's own vocabulary is bpe_simple_vocab_16e6.txt.gz")
                : Checked(path, ClipTokenizer.FromMerges(Merges(path, text)), Beside(path));
        }
        catch (Exception failure)
            when (failure
                    is IOException
                        or InvalidDataException
                        or UnauthorizedAccessException
                        or JsonException
                        or InvalidOperationException
            )
        {
            throw new UserErrorException($"{path}: cannot be read as a tokenizer vocabulary: {failure.Message}");
        }
    }

    private static string ReadText(string path)
    {
        using var file = File.OpenRead(path);
        var zipped = file.ReadByte() == 0x1f && file.ReadByte() == 0x8b;
        file.Position = 0;
        using Stream bytes = zipped ? new GZipStream(file, CompressionMode.Decompress) : file;
        using var reader = new StreamReader(bytes);
        var text = new StringBuilder();
        var buffer = new char[1 << 16];
        try
        {
            while (reader.ReadBlock(buffer) is > 0 and var read)
            {
                // A few kilobytes of gzip may unpack to gigabytes.
                text.Append(
                    buffer,
                    0,
                    text.Length < MaxTextLength
                        ? read
                        : throw new UserErrorException(
                            $"{path}: longer than {MaxTextLength >> 20} Mi characters (byte {file.Position}), "
                                + "so it is not a CLIP vocabulary"
                        )
                );
            }
        }
        catch (InvalidDataException failure)
        {
            throw new InvalidDataException($"its gzip data are damaged before byte {file.Position}: {failure.Message}", failure);
        }

        return text.ToString();
    }

    // A heading line, then one merge a line.
    private static List<(string, string)> Merges(string path, string text)
    {
        UserErrorException.ThrowIf(
            !text.Split('\n', 2)[0].Contains("#version", StringComparison.Ordinal),
            $"{path}: line 1 is not a header (#version), so the file is not a CLIP vocabulary (bpe_simple_vocab…)"
        );

        var merges = new List<(string, string)>();
        var known = new HashSet<string>(
            BytePairs.Alphabet.SelectMany(symbol => new[] { symbol.ToString(), symbol + BytePairs.WordEnd }),
            StringComparer.Ordinal
        );
        var number = 1;
        foreach (var line in text.Split('\n').Skip(1).Select(line => line.TrimEnd('\r')).TakeWhile(line => line.Length > 0).Take(MaxMerges))
        {
            number++;
            // Prose of two words a line is none: both symbols are bytes, or come of merges before.
            merges.Add(
                line.Split(' ') is [var left, var right] && known.Contains(left) && known.Contains(right)
                    ? (left, right)
                    : throw new UserErrorException(
                        $"{path}: line {number} is not a merge of two symbols; the file is not a CLIP vocabulary (bpe_simple_vocab…)"
                    )
            );
            known.Add(left + right);
        }

        return merges;
    }

    private static BytePairTokenizer FromJson(string path, string text)
    {
        using var json = Json(text);
        UserErrorException.ThrowIf(
            Property(json.RootElement, "model") is { } found
                && (
                    Property(found, "byte_fallback") is { ValueKind: JsonValueKind.True }
                    || (Property(found, "type") is { ValueKind: JsonValueKind.String } type && type.GetString() == "Unigram")
                ),
            $"{path}: is the tokenizer.json of a SentencePiece vocabulary; "
                + $"put the model's tokenizer.model (SigLIP 2), spiece.model (SigLIP) or sentencepiece.bpe.model (MetaCLIP 2; "
                + $"that of facebook/xlm-v-base) next to the weights in its place, or specify it with --tokenizer"
        );

        if (
            Property(json.RootElement, "model") is not { } model
            || Property(model, "merges") is not { ValueKind: JsonValueKind.Array } list
            || Property(model, "vocab") is not { } vocabulary
        )
        {
            UserErrorException.ThrowIf(
                json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("error", out _),
                $"{path}: "
                    + $"{ForeignFile.Recognise(Encoding.UTF8.GetBytes(text[..Math.Min(text.Length, ForeignFile.PrefixLength)]))} "
                    + $"(byte 0)"
            );

            throw new UserErrorException(
                $"{path}: has no model.merges, so it is not a tokenizer.json of CLIP; for vocab.json use merges.txt next to it"
            );
        }

        var merges = list.EnumerateArray()
            .Select(
                (merge, place) =>
                    Merge(merge) ?? throw new UserErrorException($"{path}: model.merges[{place}] is not a merge of two symbols")
            )
            .ToList();
        return Checked(path, ClipTokenizer.FromMerges(merges), vocabulary);
    }

    private static JsonDocument Json(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        JsonTexts.Require(bytes);
        return JsonDocument.Parse(bytes);
    }

    // Older files write "a b", newer ones ["a", "b"].
    private static (string, string)? Merge(JsonElement merge) =>
        merge.ValueKind switch
        {
            JsonValueKind.String => merge.GetString()!.Split(' ') is [var left, var right] ? (left, right) : null,
            JsonValueKind.Array
                when merge.GetArrayLength() == 2 && merge.EnumerateArray().All(part => part.ValueKind == JsonValueKind.String) => (
                merge[0].GetString()!,
                merge[1].GetString()!
            ),
            _ => null,
        };

    private static JsonElement? Beside(string path)
    {
        var vocabulary = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, "vocab.json");
        if (Path.GetFileName(path) != "merges.txt" || !File.Exists(vocabulary))
        {
            return null;
        }

        using var json = Json(ReadText(vocabulary));
        return json.RootElement.Clone();
    }

    private static BytePairTokenizer Checked(string path, BytePairTokenizer tokenizer, JsonElement? vocabulary)
    {
        if (vocabulary is not { ValueKind: JsonValueKind.Object } known)
        {
            return vocabulary is null
                ? tokenizer
                : throw new UserErrorException(
                    $"{path}: the vocabulary is not a mapping from symbols to ids; this is not CLIP's tokenizer"
                );
        }

        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var entry in known.EnumerateObject())
        {
            ids[entry.Name] = entry.Value.ValueKind == JsonValueKind.Number && entry.Value.TryGetInt32(out var id) ? id : -1;
        }

        var wrong = tokenizer.Vocabulary.FirstOrDefault(symbol => ids.GetValueOrDefault(symbol.Key, -1) != symbol.Value);
        return wrong.Key is null
            ? tokenizer
            : throw new UserErrorException(
                $"{path}: '{wrong.Key}' should have id {wrong.Value} by the order of the merges, "
                    + "but the vocabulary says otherwise; this is not CLIP's tokenizer"
            );
    }

    private static JsonElement? Property(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value : null;
}
