using System.Text.Json.Nodes;
using ClipSae.Cli.Demo;
using ClipSae.Cli.Repairing;
using ClipSae.Clip.Tokenizers;
using ClipSae.TestKit.Files;
using TorchSharp;

namespace ClipSae.Cli.Tests;

/// <summary>The demo's base on pictures of its own world, whose truth it never sees.</summary>
public sealed class OwnLabelsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_model_names_what_pictures_show_among_words_given_and_writes_it_as_captions()
    {
        var world = await WorldAsync();
        var labels = OwnLabels.Find(
            world,
            DemoFiles.Model,
            ClipTokenizer.Load(DemoFiles.Tokenizer),
            ["cat", "tree", "boat", "house", "car", "moon"],
            torch.CPU,
            TestContext.Current.CancellationToken
        );
        var file = _folder.File("captions.json");
        labels.Save(file);

        labels.Images.Count.ShouldBeGreaterThan(20);
        labels.Classes.Count.ShouldBeGreaterThan(1);
        labels.Images.ShouldAllBe(picture => labels.Classes.Contains(picture.Label) && !Path.IsPathRooted(picture.Path));
        var written = JsonNode.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken))!.AsArray();
        written.Select(item => (item!["path"]!.GetValue<string>(), item["label"]!.GetValue<string>())).ShouldBe(labels.Images);
        written.ShouldAllBe(item => item!["captions"]![0]!.GetValue<string>() == $"a photo of a {item["label"]!.GetValue<string>()}");
    }

    [Fact]
    public void The_vocabularys_whole_words_leave_out_pieces_and_the_prompts_own()
    {
        var words = OwnLabels.WholeWords(ClipTokenizer.Load(DemoFiles.Tokenizer)).ToArray();

        words.ShouldContain("cat");
        words.ShouldNotContain("photo");
        words.ShouldAllBe(word => word.Length >= 3 && word.All(char.IsAsciiLetter));
    }

    [Fact]
    public void A_folder_without_pictures_is_named()
    {
        var empty = Directory.CreateDirectory(_folder.File("empty")).FullName;

        Should
            .Throw<UserErrorException>(() =>
                OwnLabels.Find(empty, DemoFiles.Model, ClipTokenizer.Load(DemoFiles.Tokenizer), null, torch.CPU, CancellationToken.None)
            )
            .Message.ShouldContain("it contains no pictures in a supported format");
    }

    private async Task<string> WorldAsync()
    {
        var made = await CommandRun.OfAsync("make-dataset", _folder.File("world"), "--train", "0", "--tuning", "60", "--evaluation", "2");
        made.Code.ShouldBe(0, made.Error);
        return _folder.File("world/tuning");
    }
}
