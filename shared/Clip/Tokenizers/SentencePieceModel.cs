using Google.Protobuf;

namespace ClipSae.Clip.Tokenizers;

/// <summary>
/// What is asked of a SentencePiece model (sentencepiece_model.proto) before the library gets it: its kind, its pieces and special ids.
/// Everything is bounded, and ids must be pieces.
/// </summary>
/// <param name="IsUnigram">Whether texts are cut by likelihood; otherwise by merges.</param>
/// <param name="Pieces">Piece by id; null where it is none of ordinary text.</param>
/// <param name="Unknown">Id of what no piece stands for.</param>
/// <param name="Start">Id of the start of text; −1 if there is none.</param>
/// <param name="End">Id of the end of text.</param>
/// <param name="Padding">Id of padding; −1 if there is none.</param>
internal sealed record SentencePieceModel(bool IsUnigram, IReadOnlyList<string?> Pieces, int Unknown, int Start, int End, int Padding)
{
    /// <summary>The names under which such files are published.</summary>
    public const string Names = "spiece.model, tokenizer.model or sentencepiece.bpe.model";

    /// <summary>Bytes of the largest file; mT5's vocabulary of 250,000 pieces has 4 MB, XLM-V's of 901,627 less than 20.</summary>
    public const int MaxFile = 32 << 20;

    private const int MaxPieces = 1 << 20;
    private const int MaxPieceLength = 1 << 10;

    // Fields of ModelProto, SentencePiece and TrainerSpec.
    private const int PiecesField = 1,
        TrainerField = 2,
        TextField = 1,
        KindField = 3,
        ModelTypeField = 3,
        UnknownField = 40,
        StartField = 41,
        EndField = 42,
        PaddingField = 43;
    private const int OrdinaryPiece = 1,
        Unigram = 1,
        Merges = 2;

    /// <summary>Whether special ids are SentencePiece's own, without padding, as of XLM-R and XLM-V; SigLIP's follow T5.</summary>
    public bool IsXlm => IsUnigram && (Unknown, Start, End, Padding) == (0, 1, 2, -1);

    /// <summary>Whether bytes begin like such a file, and like no text.</summary>
    public static bool IsOne(ReadOnlySpan<byte> start) =>
        start.Length > 2
        && start[0] == ((PiecesField << 3) | (int)WireFormat.WireType.LengthDelimited)
        && start[2] == ((TextField << 3) | (int)WireFormat.WireType.LengthDelimited);

    /// <exception cref="UserErrorException">It is damaged, or of a kind that no model here has.</exception>
    public static SentencePieceModel Read(byte[] file, string path)
    {
        var pieces = new List<string?>();
        var ids = new Dictionary<int, int>
        {
            [ModelTypeField] = Unigram,
            [UnknownField] = 0,
            [StartField] = 1,
            [EndField] = 2,
            [PaddingField] = -1,
        };
        var input = CodedInputStream.CreateWithLimits(new MemoryStream(file), MaxFile, 8);
        try
        {
            for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
            {
                switch (WireFormat.GetTagFieldNumber(tag))
                {
                    case PiecesField:
                        pieces.Add(
                            pieces.Count < MaxPieces ? Piece(Message(input)) : throw Damaged($"has more than {MaxPieces:N0} pieces")
                        );
                        break;
                    case TrainerField:
                        Ids(Message(input), ids);
                        break;
                    default:
                        input.SkipLastField();
                        break;
                }
            }
        }
        catch (InvalidProtocolBufferException failure)
        {
            throw Damaged($"is damaged before byte {input.Position}: {failure.Message}");
        }

        if (ids[ModelTypeField] is not (Unigram or Merges))
        {
            throw Damaged(
                $"is a SentencePiece model of kind {ids[ModelTypeField]}; "
                    + "SigLIP's and MetaCLIP 2's are of kind 1 (unigram), SigLIP 2's of kind 2 (BPE)"
            );
        }

        foreach (
            var (field, name, mayLack) in new[]
            {
                (UnknownField, "unk_id", false),
                (StartField, "bos_id", true),
                (EndField, "eos_id", false),
                (PaddingField, "pad_id", true),
            }
        )
        {
            if (ids[field] >= pieces.Count || ids[field] < (mayLack ? -1 : 0))
            {
                throw Damaged($"says {name} {ids[field]}, and has {pieces.Count} pieces");
            }
        }

        return new SentencePieceModel(
            ids[ModelTypeField] == Unigram,
            pieces,
            ids[UnknownField],
            ids[StartField],
            ids[EndField],
            ids[PaddingField]
        );

        UserErrorException Damaged(string what) => new($"{path}: {what}; download the model's {Names} again");
    }

    /// <summary>
    /// The file as the library takes it, which looks up a start of text even if there is none: a message that follows is merged into
    /// what it repeats.
    /// </summary>
    public byte[] ForLibrary(byte[] file)
    {
        if (Start >= 0)
        {
            return file;
        }

        using var appended = new MemoryStream();
        var trainer = new CodedOutputStream(appended);
        trainer.WriteTag(StartField, WireFormat.WireType.Varint);
        trainer.WriteInt32(Unknown);
        trainer.Flush();
        var message = appended.ToArray();
        return [.. file, (TrainerField << 3) | (int)WireFormat.WireType.LengthDelimited, (byte)message.Length, .. message];
    }

    private static CodedInputStream Message(CodedInputStream input) => input.ReadBytes().CreateCodedInput();

    private static string? Piece(CodedInputStream piece)
    {
        var (text, kind) = ("", OrdinaryPiece);
        for (var tag = piece.ReadTag(); tag != 0; tag = piece.ReadTag())
        {
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case TextField:
                    text = piece.ReadString();
                    break;
                case KindField:
                    kind = piece.ReadEnum();
                    break;
                default:
                    piece.SkipLastField();
                    break;
            }
        }

        return kind == OrdinaryPiece && text.Length is > 0 and < MaxPieceLength ? text : null;
    }

    private static void Ids(CodedInputStream trainer, Dictionary<int, int> ids)
    {
        for (var tag = trainer.ReadTag(); tag != 0; tag = trainer.ReadTag())
        {
            var field = WireFormat.GetTagFieldNumber(tag);
            if (ids.ContainsKey(field))
            {
                ids[field] = trainer.ReadInt32();
            }
            else
            {
                trainer.SkipLastField();
            }
        }
    }
}
