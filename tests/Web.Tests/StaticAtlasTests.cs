using ClipSae.Web.Atlas;

namespace ClipSae.Web.Tests;

public sealed class StaticAtlasTests
{
    private const string Hostile = "<img src=x onerror=alert(1)>";

    [Fact]
    public async Task An_atlas_is_a_folder_that_needs_nothing_else()
    {
        await using var served = await ServedRuns.StartAsync();
        await SmallAtlas.TellAsync(served, Hostile);
        var folder = Path.Combine(served.Pipeline.Folder, "atlas");

        (await StaticAtlas.WriteAsync(served.Runtime, SmallAtlas.Run, folder, 100, TimeProvider.System, (_, _) => { })).ShouldBe(2);

        var pages = Directory.GetFiles(folder, "*.html", SearchOption.AllDirectories);
        pages.Length.ShouldBe(4);
        foreach (var page in pages)
        {
            var text = await File.ReadAllTextAsync(page);
            text.ShouldNotContain("http", Case.Insensitive);
            text.ShouldNotContain("href=\"/");
            text.ShouldNotContain("src=\"/");
            text.ShouldNotContain("<img src=x");
        }

        (await File.ReadAllTextAsync(pages.Single(page => page.EndsWith("feature-1.html", StringComparison.Ordinal)))).ShouldContain(
            "class=\"heat\" src=\"data:image/png;base64,"
        );
        Directory.GetFiles(Path.Combine(folder, "pictures")).ShouldHaveSingleItem();
        Directory.Exists(folder + ".unfinished").ShouldBeFalse();
    }

    [Fact]
    public async Task As_many_features_are_written_as_asked_for_and_links_lead_to_no_other()
    {
        await using var served = await ServedRuns.StartAsync();
        await SmallAtlas.TellAsync(served);
        var folder = Path.Combine(served.Pipeline.Folder, "atlas");

        (await StaticAtlas.WriteAsync(served.Runtime, SmallAtlas.Run, folder, 1, TimeProvider.System, (_, _) => { })).ShouldBe(1);

        var page = Directory.GetFiles(folder, "feature-*.html", SearchOption.AllDirectories).ShouldHaveSingleItem();
        (await File.ReadAllTextAsync(page)).ShouldNotContain("feature-2.html");
    }

    [Fact]
    public async Task A_folder_that_is_there_and_a_run_without_autoencoder_are_refused()
    {
        await using var served = await ServedRuns.StartAsync();
        await SmallAtlas.TellAsync(served);
        var run = await served.RunAsync();
        (
            await Should.ThrowAsync<UserErrorException>(
                StaticAtlas.WriteAsync(served.Runtime, SmallAtlas.Run, served.Pipeline.Folder, 1, TimeProvider.System, (_, _) => { })
            )
        ).Message.ShouldEndWith("is there already; name a new folder");
        (
            await Should.ThrowAsync<UserErrorException>(
                StaticAtlas.WriteAsync(
                    served.Runtime,
                    run,
                    Path.Combine(served.Pipeline.Folder, "atlas"),
                    1,
                    TimeProvider.System,
                    (_, _) => { }
                )
            )
        ).Message.ShouldEndWith("has no autoencoder, so there is no atlas of it");
    }
}
