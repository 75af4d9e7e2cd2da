using ClipSae.Clip.Tokenizers;

namespace ClipSae.Clip.Tests;

public class VocabularyWordsTests
{
    [Fact]
    public void CLIPs_vocabulary_has_words_of_many_scripts_and_none_that_is_a_piece_of_letters()
    {
        var tokenizer = ClipTokenizer.Load(Path.Combine(AppContext.BaseDirectory, "Reference", "bpe_simple_vocab_16e6.txt.gz"));
        var (latin, others) = (VocabularyWords.Latin(tokenizer).ToArray(), VocabularyWords.OfOtherScripts(tokenizer).ToArray());

        latin.Length.ShouldBeGreaterThan(10_000);
        latin.ShouldContain("guitar");
        latin.ShouldAllBe(word => word.Length >= 3 && word.All(char.IsAsciiLetter));
        others.ShouldContain("españa");
        others.ShouldAllBe(word => word.All(char.IsLetter) && word.Any(letter => letter > 127) && !word.Contains('\uFFFD'));
        // Every one is one token.
        others.Take(50).ShouldAllBe(word => tokenizer.Encode(word).Count() == 1);
    }
}
