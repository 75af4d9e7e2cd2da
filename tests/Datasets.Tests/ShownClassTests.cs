namespace ClipSae.Datasets.Tests;

public sealed class ShownClassTests
{
    private static readonly string[] Classes = ["cat", "dog", "hot dog", "fire truck", "truck"];

    [Theory]
    [InlineData("a photo of a cat", "cat")]
    [InlineData("A cat.", "cat")]
    [InlineData("a CAT, asleep", "cat")]
    [InlineData("\"cat\"", "cat")]
    [InlineData("the cat's bowl", "cat")]
    [InlineData("cat", "cat")]
    [InlineData("a cat beside another cat", "cat")]
    [InlineData("a category", null)]
    [InlineData("a bobcat", null)]
    [InlineData("two cats", null)]
    [InlineData("bobcat or cat", "cat")]
    [InlineData("a bird", null)]
    [InlineData("", null)]
    public void A_caption_names_a_class_as_a_whole_word_of_any_case(string caption, string? expected) =>
        Of(null, caption).ShouldBe(expected);

    [Fact]
    public void Captions_that_name_several_classes_name_none()
    {
        Of(null, "a dog and a cat").ShouldBeNull();
        Of(null, "a dog", "a cat").ShouldBeNull();
        Of(null, "a dog", "an animal", "the dog").ShouldBe("dog");
    }

    [Fact]
    public void Within_a_longer_name_another_is_not_named()
    {
        Of(null, "a hot dog").ShouldBe("hot dog");
        Of(null, "a fire truck").ShouldBe("fire truck");
        Of(null, "a dog eats a hot dog").ShouldBeNull();
    }

    [Fact]
    public void A_label_decides_where_it_is_one_of_the_classes()
    {
        Of("dog", "a cat").ShouldBe("dog");
        Of("bird", "a cat").ShouldBeNull();
        Of("Dog", "a dog").ShouldBeNull();
    }

    [Theory]
    [InlineData("dog", true)]
    [InlineData("Dog", true)]
    [InlineData("cat", true)]
    [InlineData("bowl", true)]
    [InlineData("bow", false)]
    [InlineData("truck", false)]
    public void A_word_is_true_of_a_picture_if_it_is_the_label_or_a_caption_names_it(string word, bool expected) =>
        ShownClass.IsTrue(word, new DatasetItem("a.png", ["a pet", "a Cat and its bowl"], "dog")).ShouldBe(expected);

    private static string? Of(string? label, params string[] captions) => ShownClass.Of(new DatasetItem("a.png", captions, label), Classes);
}
