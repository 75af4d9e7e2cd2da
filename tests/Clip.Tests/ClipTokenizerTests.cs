using System.Text.Json;
using ClipSae.Clip.Tokenizers;
using ClipSae.TestKit.Files;

namespace ClipSae.Clip.Tests;

public class ClipTokenizerTests
{
    private static readonly BytePairTokenizer Tokenizer = (BytePairTokenizer)ClipTokenizer.Load(ReferenceFiles.Vocabulary);

    public static TheoryData<string> Lines => [.. File.ReadLines(ReferenceFiles.Tokens)];

    /// <summary>Each line is an output of the original tokenizer.</summary>
    [Theory]
    [MemberData(nameof(Lines))]
    public void Ids_are_those_of_the_original_code(string line)
    {
        var expected = JsonDocument.Parse(line).RootElement;
        var ids = expected.GetProperty("ids").EnumerateArray().Select(i => i.GetInt64()).ToArray();
        var actual = Tokenizer.Encode(expected.GetProperty("text").GetString()!, 77, out var truncated);
        truncated.ShouldBe(expected.GetProperty("truncated").GetBoolean());
        actual.Length.ShouldBe(77);
        actual[..ids.Length].ShouldBe(ids);
        actual[ids.Length..].ShouldAllBe(i => i == 0);
    }

    // Each pair is one text to openai/CLIP, whose ftfy makes them equal.
    [Theory]
    [InlineData("it\u2019s a dog", "it's a dog")]
    [InlineData("\uFF33\uFF21\uFF2C\uFF25", "SALE")]
    [InlineData("cafe\u0301", "caf\u00E9")]
    [InlineData("caf\u00C3\u00A9", "caf\u00E9")]
    [InlineData("&copy 2020", "\u00A9 2020")]
    [InlineData("a \uFB01sh", "a fish")]
    public void Spellings_of_one_text_have_the_same_ids(string one, string other) =>
        Tokenizer.Encode(one, 77, out _).ShouldBe(Tokenizer.Encode(other, 77, out _));

    [Fact]
    public void A_prompt_that_would_be_cut_is_refused() =>
        Should
            .Throw<UserErrorException>(() => Tokenizer.EncodePrompt("a photo of a cat", 5))
            .Message.ShouldContain("longer than the model's 5 tokens");

    [Fact]
    public void The_length_of_a_text_counts_its_start_and_its_end() => Tokenizer.LengthOf(Tokenizer.Encode("cat", 77, out _)).ShouldBe(3);

    [Fact]
    public void A_missing_vocabulary_is_reported_by_the_name_that_the_user_gave()
    {
        using var folder = new TemporaryFolder();

        Should
            .Throw<UserErrorException>(() => ClipTokenizer.FileBeside(folder.Path, "openai/clip"))
            .Message.ShouldStartWith("openai/clip: no vocabulary");
    }

    [Fact]
    public void The_original_vocabulary_has_49408_tokens()
    {
        Tokenizer.VocabularySize.ShouldBe(49408);
        Tokenizer.StartOfText.ShouldBe(49406);
        Tokenizer.EndOfText.ShouldBe(49407);
    }

    [Fact]
    public void Learned_merges_survive_their_file()
    {
        var path = Path.GetTempFileName();
        var merges = BpeLearner.Learn(["a photo of a red cat", "a photo of a dog", "the word \"cat\" printed on a dog"], 40);
        File.WriteAllText(path, BpeLearner.Format(merges));
        var loaded = ClipTokenizer.Load(path);
        var direct = ClipTokenizer.FromMerges(merges);
        loaded.VocabularySize.ShouldBe(merges.Count + 514);
        loaded.Encode("a photo of a cat!", 16, out _).ShouldBe(direct.Encode("a photo of a cat!", 16, out _));
        File.Delete(path);
    }

    [Fact]
    public void Frequent_words_become_one_token()
    {
        var tokenizer = ClipTokenizer.FromMerges(BpeLearner.Learn(Enumerable.Repeat("a photo of a cat", 3), 100));
        tokenizer.Encode("photo").Count().ShouldBe(1);
        tokenizer.Encode("cat", 8, out _).Count(id => id != 0).ShouldBe(3);
    }

    [Fact]
    public void Learning_twice_gives_the_same_merges_in_whatever_order_captions_come()
    {
        string[] captions = ["red cat", "blue dog", "green bird on a tree", "a tree"];
        BpeLearner.Learn(captions, 30).ShouldBe(BpeLearner.Learn(captions.Reverse(), 30));
    }

    [Fact]
    public void A_file_that_is_no_vocabulary_is_refused_with_its_line()
    {
        var path = Path.GetTempFileName();
        File.WriteAllText(path, "#version: 0.2\na b\nthis is prose\n");
        Should.Throw<UserErrorException>(() => ClipTokenizer.Load(path)).Message.ShouldContain("line 3");
        File.Delete(path);
    }

    [Theory]
    [InlineData("merges.txt")]
    [InlineData("tokenizer.json with texts")]
    [InlineData("tokenizer.json with pairs")]
    public void Every_form_of_the_vocabulary_gives_the_same_ids(string form)
    {
        var folder = Directory.CreateTempSubdirectory("clipsae-test-").FullName;
        var vocabulary = Tokenizer.Vocabulary.ToDictionary(symbol => symbol.Key, symbol => symbol.Value);
        if (form == "merges.txt")
        {
            File.WriteAllLines(
                Path.Combine(folder, "merges.txt"),
                Tokenizer.Merges.Select(merge => $"{merge.Left} {merge.Right}").Prepend("#version: 0.2")
            );
            File.WriteAllText(Path.Combine(folder, "vocab.json"), JsonSerializer.Serialize(vocabulary));
        }
        else
        {
            var merges = Tokenizer.Merges.Select(merge =>
                form.EndsWith("texts", StringComparison.Ordinal) ? $"{merge.Left} {merge.Right}" : (object)new[] { merge.Left, merge.Right }
            );
            File.WriteAllText(
                Path.Combine(folder, "tokenizer.json"),
                JsonSerializer.Serialize(new { model = new { vocab = vocabulary, merges } })
            );
        }

        var loaded = ClipTokenizer.Load(ClipTokenizer.FileBeside(folder));

        loaded.VocabularySize.ShouldBe(49408);
        foreach (var line in File.ReadLines(ReferenceFiles.Tokens))
        {
            var text = JsonDocument.Parse(line).RootElement.GetProperty("text").GetString()!;
            loaded.Encode(text, 77, out _).ShouldBe(Tokenizer.Encode(text, 77, out _));
        }

        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Ids_that_do_not_follow_from_the_merges_are_refused()
    {
        var path = Path.GetTempFileName();
        File.WriteAllText(path, """{"model":{"vocab":{"!":7},"merges":["a b"]}}""");
        Should.Throw<UserErrorException>(() => ClipTokenizer.Load(path)).Message.ShouldContain("'!' should have id 0");
        File.Delete(path);
    }

    [Fact]
    public void Without_a_vocabulary_the_error_says_which_file_goes_where()
    {
        var folder = Directory.CreateTempSubdirectory("clipsae-test-").FullName;
        var error = Should.Throw<UserErrorException>(() => ClipTokenizer.FileBeside(Path.Combine(folder, "model.pt"))).Message;
        error.ShouldContain("bpe_simple_vocab_16e6.txt.gz");
        error.ShouldContain(folder);
        Directory.Delete(folder);
    }
}
