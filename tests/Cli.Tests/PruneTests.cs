using ClipSae.Cli.CommandLine;
using ClipSae.Pipeline.Pruning;
using ClipSae.TestKit.Files;
using Microsoft.Extensions.Time.Testing;

namespace ClipSae.Cli.Tests;

public sealed class PruneTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_nobody_needs_is_shown_then_removed_and_the_sizes_are_told()
    {
        string[] files = ["blobs/sha256/ab/abc", "checkpoints/key/index.json", "remote/photos/a.png", "remote/.photos.versions"];
        foreach (var file in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder.File(file))!);
            await File.WriteAllTextAsync(_folder.File(file), "12345", TestContext.Current.CancellationToken);
        }

        var shown = await PruneAsync("--dry-run", "--json");
        files.ShouldAllBe(file => File.Exists(_folder.File(file)));
        var removed = await PruneAsync("--json");

        shown.Json["dryRun"]!.GetValue<bool>().ShouldBeTrue();
        shown.Json["removed"]!.ToJsonString().ShouldBe(removed.Json["removed"]!.ToJsonString());
        removed.Json["bytes"]!.GetValue<long>().ShouldBe(20);
        removed.Json["removed"]!.AsArray().Select(group => group!["files"]!.GetValue<int>()).ShouldBe([0, 0, 1, 1, 2]);
        files.ShouldAllBe(file => !File.Exists(_folder.File(file)));
        (await PruneAsync()).Out.ShouldContain("total");
    }

    [Theory]
    [InlineData("--keep", "there is no run nonsense")]
    [InlineData("--drop", "--drop nonsense: there is no such stage")]
    public async Task A_name_that_is_none_is_wrong_use(string option, string said)
    {
        var run = await PruneAsync(option, "nonsense");

        run.Code.ShouldBe(2);
        run.Error.ShouldContain(said);
    }

    private async Task<CommandRun> PruneAsync(params string[] arguments)
    {
        var later = new FakeTimeProvider(TimeProvider.System.GetUtcNow() + PrunePlan.Untouched + TimeSpan.FromMinutes(1));
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await Application.RunAsync(
            ["prune", "--data", _folder.Path, .. arguments],
            new ConsoleStreams(output, error, false, _ => null),
            later
        );
        return new CommandRun(code, output.ToString(), error.ToString());
    }
}
