using ClipSae.Results.Evaluation;
using ClipSae.ZeroShotEvaluation.Sets;
using ClipSae.ZeroShotEvaluation.Settings;

namespace ClipSae.ZeroShotEvaluation.Tests;

public sealed class LabelCodesTests
{
    [Fact]
    public void WordNet_ids_take_the_names_of_a_class_list_in_the_order_of_the_ids() =>
        Labels(["n02119791", "n02119789", "n02119790"], new() { Classes = ["kit fox", "setter", "kit fox"] })
            .ShouldBe(["kit fox", "kit fox", "setter"]);

    [Fact]
    public void Numbers_take_the_names_at_their_places() =>
        Labels(["2", "0"], new() { Classes = ["cat", "dog", "tree"] }).ShouldBe(["tree", "cat"]);

    [Fact]
    public void Names_that_are_given_for_labels_come_first() =>
        Labels(["n02119789", "n02119790", "cat"], new() { ClassNames = new Dictionary<string, string> { ["n02119789"] = "kit fox" } })
            .ShouldBe(["kit fox", "n02119790", "cat"]);

    // Digits may be what pictures show (MNIST), but only a list of classes that names them says so.
    [Fact]
    public void Digits_that_are_classes_stay() => Labels(["3", "7"], new() { Classes = ["3", "7", "9"] }).ShouldBe(["3", "7"]);

    [Fact]
    public void Names_stay() => Labels(["cat", "n02119789"], new()).ShouldBe(["cat", "n02119789"]);

    [Theory]
    [InlineData("n02119789,n02119790", "", "WordNet ids (n02119789, n02119790)")]
    [InlineData("n02119789,n02119790", "cat,dog,tree", "--class-names FILE")]
    [InlineData("0,1", "", "numbers (0, 1)")]
    [InlineData("1,2", "cat,dog", "in the order of the numbers")]
    public void Codes_that_nothing_names_are_refused(string labels, string classes, string expected) =>
        Should
            .Throw<UserErrorException>(() =>
                Labels(labels.Split(','), new() { Classes = classes.Split(',', StringSplitOptions.RemoveEmptyEntries) })
            )
            .Message.ShouldContain(expected);

    private static IEnumerable<string> Labels(string[] labels, EvaluationOptions options)
    {
        EvaluationImage[] images = [.. labels.Select((label, i) => new EvaluationImage($"{i}.png", label, null, []))];
        var set = new SetImages(
            "imagenet",
            new EvaluationProtocol.Clean(),
            [],
            images,
            [.. Enumerable.Range(0, images.Length)],
            null,
            images.Length,
            new Dictionary<int, EvaluationProblem>(),
            []
        );
        return LabelCodes.Named(set, options).Images.Select(image => image.Label);
    }
}
