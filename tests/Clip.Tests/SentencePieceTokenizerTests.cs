using System.Text.Json;
using ClipSae.Clip.Tokenizers;
using ClipSae.TestKit.Files;

namespace ClipSae.Clip.Tests;

/// <summary>
/// Tiny vocabularies of SigLIP's and SigLIP 2's kinds, with the ids that SentencePiece itself gives
/// (<c>Reference/sentencepiece_models.py</c>).
/// </summary>
public sealed class SentencePieceTokenizerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("siglip", 500, true)]
    [InlineData("siglip2", 700, false)]
    public void Ids_are_those_of_SentencePiece(string name, int pieces, bool isUnigram)
    {
        var tokenizer = ClipTokenizer.Load(Model(name)).ShouldBeOfType<SentencePieceTokenizer>();

        (tokenizer.VocabularySize, tokenizer.EndOfText, tokenizer.IsUnigram).ShouldBe((pieces, 1, isUnigram));
        var lines = File.ReadLines(ReferenceFiles.Named($"sentencepiece/{name}.jsonl"))
            .Select(line => JsonDocument.Parse(line).RootElement)
            .ToList();
        lines.Count.ShouldBeGreaterThan(20);
        foreach (var line in lines)
        {
            var text = line.GetProperty("text").GetString()!;
            tokenizer.Encode(text).ShouldBe(line.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()), text);
        }
    }

    // Special tokens before the pieces and a mask behind them, as fairseq numbers them.
    [Fact]
    public void Ids_of_XLM_V_are_those_of_SentencePiece_as_XLMRobertaTokenizer_numbers_them()
    {
        var tokenizer = ClipTokenizer.Load(Model("xlm")).ShouldBeOfType<XlmTokenizer>();

        (tokenizer.VocabularySize, tokenizer.EndOfText).ShouldBe((332, 2));
        var lines = File.ReadLines(ReferenceFiles.Named("sentencepiece/xlm.jsonl"))
            .Select(line => JsonDocument.Parse(line).RootElement)
            .ToList();
        lines.Count.ShouldBeGreaterThan(60);
        foreach (var line in lines)
        {
            var text = line.GetProperty("text").GetString()!;
            tokenizer.Encode(text).ShouldBe(line.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()), text);
        }

        var words = tokenizer.Encode("красная машина").Select(id => (long)id).ToArray();
        tokenizer.Encode("красная машина", 16, out _).ShouldBe([0, .. words, 2, .. Enumerable.Repeat(1L, 14 - words.Length)]);
        tokenizer.Encode("красная машина", 3, out var truncated).ShouldBe([0, words[0], 2]);
        truncated.ShouldBeTrue();
        VocabularyWords.OfOtherScripts(tokenizer).ShouldContain("машина");
    }

    // SigLIP pads by its end, SigLIP 2 by an id of its own; the text tower sees both.
    [Theory]
    [InlineData("siglip", 1)]
    [InlineData("siglip2", 0)]
    public void A_text_ends_in_its_end_and_is_padded_as_the_model_was_trained(string name, long padding)
    {
        var tokenizer = ClipTokenizer.Load(Model(name));
        var words = tokenizer.Encode("a photo of a cat").Select(id => (long)id).ToArray();

        tokenizer
            .Encode("a photo of a cat", 12, out var truncated)
            .ShouldBe([.. words, 1, .. Enumerable.Repeat(padding, 11 - words.Length)]);
        truncated.ShouldBeFalse();
        tokenizer.Encode("a photo of a cat", 4, out truncated).ShouldBe([.. words.Take(3), 1]);
        truncated.ShouldBeTrue();
        Should
            .Throw<UserErrorException>(() => tokenizer.EncodePrompt("a photo of a cat", 4))
            .Message.ShouldContain("longer than the model's 4 tokens");
    }

    [Theory]
    [InlineData("siglip")]
    [InlineData("siglip2")]
    public void Whole_words_of_the_vocabulary_are_found(string name)
    {
        var words = VocabularyWords.Latin(ClipTokenizer.Load(Model(name))).ToList();

        words.Count.ShouldBeGreaterThan(5);
        words.ShouldAllBe(one => one == one.ToLowerInvariant());
        words.ShouldContain("photo");
    }

    [Fact]
    public void It_is_found_beside_weights_under_its_published_name()
    {
        foreach (var name in new[] { "spiece.model", "tokenizer.model", "sentencepiece.bpe.model" })
        {
            var path = _folder.File(name);
            File.Copy(Model("siglip"), path);
            ClipTokenizer.FileBeside(_folder.Path).ShouldBe(path);
            ClipTokenizer.IsVocabulary(name).ShouldBeTrue();
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData("""{"model":{"type":"BPE","byte_fallback":true,"vocab":{},"merges":[]}}""")]
    [InlineData("""{"model":{"type":"Unigram","unk_id":3,"vocab":[["<s>",0.0]]}}""")]
    public void A_tokenizer_json_of_SentencePiece_is_refused_by_what_to_take_instead(string json)
    {
        var path = _folder.File("tokenizer.json");
        File.WriteAllText(path, json);

        Refusal(path)
            .ShouldContain("put the model's tokenizer.model (SigLIP 2), spiece.model (SigLIP) or sentencepiece.bpe.model (MetaCLIP 2;");
    }

    [Fact]
    public void Any_damage_gives_one_line_that_names_the_file()
    {
        var (whole, path, refused) = (File.ReadAllBytes(Model("siglip")), _folder.File("spiece.model"), 0);
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var bytes = whole[..(seed % 3 == 0 ? random.Next(3, whole.Length) : whole.Length)];
            for (var change = 0; change < 1 + (seed % 4); change++)
            {
                bytes[random.Next(3, bytes.Length)] = (byte)random.Next(256);
            }

            File.WriteAllBytes(path, bytes);
            try
            {
                ClipTokenizer.Load(path).Encode("A photo of a ｗｉｄｅ cat, ½ of it").Count().ShouldBeGreaterThan(0);
            }
            catch (UserErrorException refusal)
            {
                refused++;
                refusal.Message.ShouldStartWith(path);
                refusal.Message.ShouldNotContain("\n");
            }
        }

        refused.ShouldBeGreaterThan(30);
    }

    [Fact]
    public void Ids_that_are_no_pieces_and_other_kinds_are_refused()
    {
        var path = _folder.File("spiece.model");
        foreach (var (field, value, message) in new[] { (42, 900, "says eos_id 900, and has 500 pieces"), (3, 3, "of kind 3") })
        {
            // A message that follows is merged into the first of its kind.
            using var trainer = new MemoryStream();
            var coded = new Google.Protobuf.CodedOutputStream(trainer);
            coded.WriteTag(field, Google.Protobuf.WireFormat.WireType.Varint);
            coded.WriteInt32(value);
            coded.Flush();
            File.WriteAllBytes(path, [.. File.ReadAllBytes(Model("siglip")), 0x12, (byte)trainer.Length, .. trainer.ToArray()]);
            Refusal(path).ShouldContain(message);
        }
    }

    private static string Model(string name) => ReferenceFiles.Named($"sentencepiece/{name}.model");

    private static string Refusal(string path) => Should.Throw<UserErrorException>(() => ClipTokenizer.Load(path)).Message;
}
