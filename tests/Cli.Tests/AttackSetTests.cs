using System.Text.Json.Nodes;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using ClipSae.TestKit.Files;

namespace ClipSae.Cli.Tests;

public sealed class AttackSetTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Ones_own_photographs_become_sets_with_wrong_words_on_them()
    {
        Draw("photos", 3);

        var run = await RunAsync("photos", "sets", "--families", "plate,subtitle", "--held-out-words", "sale,cat");

        run.Code.ShouldBe(0, run.Error);
        string[] names = ["attacked", "attacked-heldout", "attacked-plate", "attacked-subtitle", "clean"];
        Directory.GetDirectories(_folder.File("sets")).Select(Path.GetFileName).Order(StringComparer.Ordinal).ShouldBe(names);
        foreach (var name in names)
        {
            var rows = JsonNode
                .Parse(await File.ReadAllTextAsync(_folder.File($"sets/{name}/captions.json"), TestContext.Current.CancellationToken))!
                .AsArray();
            rows.Count.ShouldBe(6);
            foreach (var row in rows)
            {
                var (label, word) = (row!["label"]!.GetValue<string>(), row["word"]?.GetValue<string>());
                (word is null).ShouldBe(name == "clean");
                word.ShouldNotBe(label);
                var picture = ImageDecoder.Decode(
                    await File.ReadAllBytesAsync(
                        _folder.File($"sets/{name}/{row["path"]!.GetValue<string>()}"),
                        TestContext.Current.CancellationToken
                    )
                );
                (picture.Width, picture.Height).ShouldBe((96, 96));
                picture.Rgb.Distinct().Count().ShouldBe(name == "clean" ? 1 : picture.Rgb.Distinct().Count());
            }
        }

        run.Json["sets"]!["attacked"]!.GetValue<int>().ShouldBe(6);
        (await RunAsync("photos", "again")).Code.ShouldBe(0);
        (await File.ReadAllBytesAsync(_folder.File("again/attacked/00000.png"), TestContext.Current.CancellationToken)).ShouldBe(
            await File.ReadAllBytesAsync(_folder.File("sets/attacked/00000.png"), TestContext.Current.CancellationToken)
        );
        (await RunAsync("photos", "sets")).Error.ShouldContain("already exists; choose another folder");
    }

    [Theory]
    [InlineData("--families nothing: there are plate", "--families", "nothing")]
    [InlineData("--side 8: expected 32 to 2048", "--side", "8")]
    [InlineData("--words: name at least one word", "--words", ",")]
    public async Task What_cannot_be_printed_is_wrong_use(string said, params string[] options)
    {
        Draw("photos", 1);

        var run = await CommandRun.OfAsync([
            "attack-set",
            _folder.File("photos"),
            _folder.File("sets"),
            "--data",
            _folder.File("data"),
            .. options,
        ]);

        run.Code.ShouldBe(2);
        run.Error.ShouldContain(said);
    }

    private Task<CommandRun> RunAsync(string photos, string target, params string[] options) =>
        CommandRun.OfAsync([
            "attack-set",
            _folder.File(photos),
            _folder.File(target),
            "--side",
            "96",
            "--data",
            _folder.File("data"),
            "--json",
            .. options,
        ]);

    private void Draw(string name, int count)
    {
        foreach (var (label, shade) in new[] { ("cat", (byte)90), ("dog", (byte)170) })
        {
            Directory.CreateDirectory(_folder.File($"{name}/{label}"));
            for (var i = 0; i < count; i++)
            {
                File.WriteAllBytes(
                    _folder.File($"{name}/{label}/{i}.png"),
                    PngEncoder.Encode(new RgbImage(120, 100, [.. Enumerable.Repeat((byte)(shade + i), 120 * 100 * 3)]))
                );
            }
        }
    }
}
