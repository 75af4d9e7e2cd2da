using System.Text.Json.Nodes;

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
        var folder = Directory.CreateTempSubdirectory("clipsae-test-");
        try
        {
            var weights = Path.Combine(folder.FullName, "model.safetensors");
            File.Copy(Path.Combine(AppContext.BaseDirectory, "Demo", "model.safetensors"), weights);

            var bare = await CommandRun.OfAsync("embed", "--text", "a cat", "--model", weights);
            bare.Code.ShouldBe(1);
            bare.Error.ShouldContain("no vocabulary lies beside the weights");

            File.Copy(Path.Combine(AppContext.BaseDirectory, "Demo", "bpe.txt.gz"), Path.Combine(folder.FullName, "bpe.txt.gz"));
            var beside = await CommandRun.OfAsync("embed", "--text", "a cat", "--model", weights);
            beside.Code.ShouldBe(0, beside.Error);
            JsonNode.DeepEquals(beside.Json["texts"], (await CommandRun.OfAsync("embed", "--text", "a cat")).Json["texts"]).ShouldBeTrue();
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
