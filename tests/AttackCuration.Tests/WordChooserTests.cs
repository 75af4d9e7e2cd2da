using ClipSae.AttackCuration.Images;
using ClipSae.AttackCuration.Settings;
using ClipSae.AttackCuration.Words;
using ClipSae.Clip.Model;
using ClipSae.Datasets;
using ClipSae.Datasets.Drawing;

namespace ClipSae.AttackCuration.Tests;

public sealed class WordChooserTests : IDisposable
{
    private static readonly ImageSource Cat = new(new DatasetItem("cat.png", ["a photo of a cat"], "cat"), Array.Empty<byte>(), "cat");
    private readonly ClipModel _model = RandomClip.Create();

    public void Dispose() => _model.Dispose();

    [Fact]
    public void A_word_beyond_the_given_ones_is_judged_beside_these_alone()
    {
        using var classifier = ZeroShotClassifier.Create(_model, RandomClip.Tokenizer, ["cat", "dog", "photo", "tree"], ["{}"]);
        var words = new WordChooser(classifier, new WordStock(["cat", "dog"], ["photo", "tree"], []), decided: 2);

        words.IsFooled([1, 2, 3, 9], "photo").ShouldBeTrue();
        words.IsFooled([1, 4, 3, 9], "photo").ShouldBeFalse();
        words.IsFooled([1, 4, 3, 9], "dog").ShouldBeTrue();
        words.IsRight([5, 4, 9, 9], "cat").ShouldBeTrue();
    }

    [Fact]
    public void Each_kind_gives_its_words_and_none_that_is_true_of_the_picture()
    {
        using var classifier = ZeroShotClassifier.Create(_model, RandomClip.Tokenizer, ["cat", "dog", "tree", "photo", "größe"], ["{}"]);
        var stock = new WordStock(["cat", "dog", "tree"], ["photo"], ["größe"]);
        var words = new WordChooser(classifier, stock, decided: 3);
        string Of(WordKind kind) => words.Choose(kind, Cat, [0, 1, 2, 0, 0], words.WrongOn(Cat), [], new SeededRandom(1, "word"));

        words.WrongOn(Cat).ShouldBe(["dog", "tree"]);
        Of(WordKind.Confusing).ShouldBe("tree");
        Of(WordKind.Listed).ShouldBeOneOf("dog", "tree");
        // "photo" is named by the caption.
        Of(WordKind.Vocabulary).ShouldBeOneOf("dog", "tree");
        Of(WordKind.OtherScript).ShouldBe("größe");
        stock.Kinds.Count.ShouldBe(5);
        WordStock.Of(["cat"]).Kinds.ShouldBe([WordKind.Nearest, WordKind.Confusing, WordKind.Listed]);
    }

    [Fact]
    public void Words_of_the_vocabulary_are_neither_given_nor_held_out_nor_the_prompts_own()
    {
        using var fonts = FontCatalogue.FromRoster([]);
        var stock = WordStock.Draw(
            _model,
            RandomClip.Tokenizer,
            ["cat", "dog"],
            ["cat", "dog"],
            ["tree"],
            fonts,
            new AttackCurationOptions()
        );

        stock.Vocabulary.ShouldBeSubsetOf(["car"]);
        stock.OtherScript.ShouldBeEmpty();
        stock.Listed.ShouldBe(["cat", "dog"]);
    }
}
