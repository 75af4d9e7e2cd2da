using System.Text.Json.Nodes;

namespace ClipSae.Datasets.Tests;

public class PrintedTextTests
{
    private static DatasetItem Item(JsonObject? attributes) => new("a.png", ["a cat"], "cat", attributes);

    [Fact]
    public void A_picture_without_a_recorded_word_has_no_print()
    {
        PrintedText.On(Item(null)).ShouldBeNull();
        PrintedText.On(Item(new JsonObject { ["word"] = null, ["font"] = "Sans" })).ShouldBeNull();
        PrintedText.On(Item(new JsonObject { ["word"] = 5 })).ShouldBeNull();
        PrintedText.On(Item(new JsonObject { ["word"] = " " })).ShouldBeNull();
    }

    [Fact]
    public void Print_is_a_word_and_perhaps_a_face()
    {
        PrintedText.On(Item(new JsonObject { ["word"] = "dog" })).ShouldBe(new PrintedText("dog", null));
        PrintedText.On(Item(new JsonObject { ["word"] = " dog", ["font"] = "Sans" })).ShouldBe(new PrintedText("dog", "Sans"));
    }

    [Theory]
    [InlineData("dog", "Sans", false)]
    [InlineData("car", "Sans", true)]
    [InlineData("dog", "Display", true)]
    [InlineData("dog", null, false)]
    public void Held_out_is_a_word_or_a_face(string word, string? font, bool heldOut) =>
        new HeldOutPrint(["car"], ["Display"]).IsOn(Item(new JsonObject { ["word"] = word, ["font"] = font })).ShouldBe(heldOut);
}
