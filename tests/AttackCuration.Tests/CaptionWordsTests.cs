using ClipSae.AttackCuration.Hygiene;
using ClipSae.AttackCuration.Images;
using ClipSae.Datasets;

namespace ClipSae.AttackCuration.Tests;

public sealed class CaptionWordsTests
{
    private static readonly string[] Words = ["dog", "cat", "guitar", "hot dog"];

    [Fact]
    public void Words_are_named_whole_and_in_any_case()
    {
        CaptionWords.Named(Item("A Dog that says guitar"), Words).ShouldBe([0, 2]);
        CaptionWords.Named(Item("a dogma"), Words).ShouldBeEmpty();
        CaptionWords.Named(Item("a hot dog"), Words).ShouldBe([0, 3]);
        // The label is no caption.
        CaptionWords.Named(Item("a photo") with { Label = "cat" }, Words).ShouldBeEmpty();
    }

    [Fact]
    public void A_word_leaves_the_caption_where_something_else_remains()
    {
        CaptionWords.Without(Item("a dog that says guitar"), "guitar", Words).ShouldBe(["a dog"]);
        CaptionWords.Without(Item("a dog with the word guitar."), "guitar", Words).ShouldBe(["a dog"]);
        CaptionWords.Without(Item("a photo of a guitar"), "guitar", Words).ShouldBeEmpty();
    }

    [Fact]
    public void The_vocabulary_leaves_out_rare_words_and_how_captions_speak()
    {
        ImageSource[] pictures =
        [
            .. Enumerable
                .Range(0, 40)
                .Select(i => new ImageSource(
                    Item(
                        i switch
                        {
                            < 8 => "a painting of a guitar",
                            < 30 => "a painting of a dog",
                            30 => "a painting of a zebra",
                            _ => "a painting of a cat",
                        }
                    ),
                    default,
                    ""
                )),
        ];

        CaptionWords.Vocabulary(["dog", "cat"], pictures).ShouldBe(["dog", "cat", "guitar"]);
    }

    private static DatasetItem Item(string caption) => new("a.png", [caption], null, null);
}
