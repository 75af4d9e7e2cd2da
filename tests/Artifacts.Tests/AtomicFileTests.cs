using System.Globalization;
using ClipSae.TestKit.Files;

namespace ClipSae.Artifacts.Tests;

public sealed class AtomicFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Of_racing_creators_one_wins_and_its_content_stays()
    {
        var path = _folder.File("00000001.json");

        var won = await Task.WhenAll(
            Enumerable
                .Range(0, 16)
                .Select(writer =>
                    Task.Run(() =>
                        AtomicFile.TryCreate(path, System.Text.Encoding.UTF8.GetBytes(writer.ToString(CultureInfo.InvariantCulture)))
                    )
                )
        );

        won.Count(one => one).ShouldBe(1);
        File.ReadAllText(path).ShouldBe(Array.IndexOf(won, true).ToString(CultureInfo.InvariantCulture));
        Directory.GetFiles(_folder.Path).Length.ShouldBe(1);
    }

    [Fact]
    public void Write_replaces()
    {
        var path = _folder.File("state.json");
        AtomicFile.Write(path, "one"u8);
        AtomicFile.Write(path, "two"u8);

        File.ReadAllText(path).ShouldBe("two");
        Directory.GetFiles(_folder.Path).Length.ShouldBe(1);
    }
}
