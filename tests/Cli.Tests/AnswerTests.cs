using System.Text.Json.Nodes;
using ClipSae.Cli.Demo;
using ClipSae.TestKit.Files;

namespace ClipSae.Cli.Tests;

public class AnswerTests
{
    [Fact]
    public async Task Json_for_a_pipe_is_whole_however_long_it_is()
    {
        var texts = Enumerable.Range(0, 16).Select(text => $"a photo of {text} things").ToArray();

        var run = await CommandRun.OfAsync(["embed", .. texts.SelectMany(text => new[] { "--text", text })]);

        run.Code.ShouldBe(0, run.Error);
        run.Out.Length.ShouldBeGreaterThan(10_000);
        run.Json["texts"]!.AsArray().Select(row => row!["text"]!.GetValue<string>()).ShouldBe(texts);
    }

    [Fact]
    public async Task Texts_are_read_with_the_vocabulary_beside_the_model()
    {
        using var folder = new TemporaryFolder();
        File.Copy(DemoFiles.Model, folder.File("model.safetensors"));
        string[] given = ["embed", "--text", "a cat", "--model", folder.File("model.safetensors")];

        var bare = await CommandRun.OfAsync(given);
        bare.Code.ShouldBe(1);
        bare.Error.ShouldContain("no vocabulary is next to the weights");

        File.Copy(DemoFiles.Tokenizer, folder.File("bpe.txt.gz"));
        var beside = await CommandRun.OfAsync(given);
        beside.Code.ShouldBe(0, beside.Error);
        JsonNode.DeepEquals(beside.Json["texts"], (await CommandRun.OfAsync("embed", "--text", "a cat")).Json["texts"]).ShouldBeTrue();
    }
}
