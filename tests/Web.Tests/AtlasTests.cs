using System.Net;
using ClipSae.Results.Autoencoders;
using ClipSae.Web.Atlas;
using ClipSae.Web.Records;
using ClipSae.Web.Security;
using SkiaSharp;

namespace ClipSae.Web.Tests;

public sealed class AtlasTests
{
    private const string Path = $"/runs/{SmallAtlas.Run}/atlas/mlp%400";
    private const string Hostile = "<img src=x onerror=alert(1)>";

    [Fact]
    public async Task Features_are_listed_and_found_by_number_and_name()
    {
        await using var served = await ServedRuns.StartAsync();
        await SmallAtlas.TellAsync(served, "stripes");

        (await served.PageAsync($"/runs/{SmallAtlas.Run}")).ShouldContain($"href=\"{Path}\"");
        (await served.PageAsync(Path)).ShouldContain("2 features");
        (await served.PageAsync(Path + "?q=STRIPE")).ShouldContain($"href=\"{Path}/1\"");
        var other = await served.PageAsync(Path + "?q=2");
        other.ShouldContain($"href=\"{Path}/2\"");
        other.ShouldNotContain($"href=\"{Path}/1\"");
    }

    [Fact]
    public async Task The_index_is_computed_once_and_found_again_by_another_process()
    {
        await using var served = await ServedRuns.StartAsync();
        await SmallAtlas.TellAsync(served);
        (await served.PageAsync(Path)).ShouldContain("Compute the index");
        using var refused = await served.PostAsync($"{Path}/index", "wrong");
        refused.StatusCode.ShouldBe(HttpStatusCode.Forbidden);

        using var started = await served.PostAsync($"{Path}/index", await served.SecretAsync());

        started.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        var page = await served.PageAsync(Path);
        for (var look = 0; look < 200 && !page.Contains("all 3 images", StringComparison.Ordinal); look++)
        {
            await Task.Delay(50);
            page = await served.PageAsync(Path);
        }

        page.ShouldContain("measured on all 3 images");
        (await served.PageAsync($"{Path}/1")).ShouldContain("<dt>images it fires on</dt><dd>2</dd>");
        await using var runtime = served.Pipeline.Start();
        await using var again = await WebServer.StartAsync(runtime, new WebOptions(), "data", TimeProvider.System);
        (await served.Http.GetStringAsync(new Uri(again.Address, Path))).ShouldContain("measured on all 3 images");
        (await served.Http.GetByteArrayAsync(new Uri(again.Address, $"/runs/{SmallAtlas.Run}/picture?id=b.png"))).ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Where_pictures_are_is_kept_with_the_index_so_that_no_shard_is_gone_through_again()
    {
        await using var served = await ServedRuns.StartAsync();
        await SmallAtlas.TellAsync(served);
        using var started = await served.PostAsync($"{Path}/index", await served.SecretAsync());
        for (var look = 0; look < 200 && !(await served.PageAsync(Path)).Contains("all 3 images", StringComparison.Ordinal); look++)
        {
            await Task.Delay(50);
        }

        File.Delete(
            await served.Runtime.Artifacts.FetchAsync(
                (await served.Runtime.StateAsync(SmallAtlas.Run)).Start!.Spec.Inputs["dataset:shards/00000"]
            )
        );
        await using var runtime = served.Pipeline.Start();
        await using var again = await WebServer.StartAsync(runtime, new WebOptions(), "data", TimeProvider.System);

        // A server that had to read the shard could not say which pictures there are.
        (await StatusAsync("none.png")).ShouldBe(HttpStatusCode.NotFound);
        (await StatusAsync("b.png")).ShouldBe(HttpStatusCode.Conflict);

        async Task<HttpStatusCode> StatusAsync(string id)
        {
            using var answer = await served.Http.GetAsync(new Uri(again.Address, $"/runs/{SmallAtlas.Run}/picture?id={id}"));
            return answer.StatusCode;
        }
    }

    [Fact]
    public async Task Patches_are_drawn_where_the_feature_fires()
    {
        await using var served = await ServedRuns.StartAsync();
        await SmallAtlas.TellAsync(served);

        using var strongest = SKBitmap.Decode(await served.Http.GetByteArrayAsync($"{Path}/1/patches?id=a.png"));
        using var weaker = SKBitmap.Decode(await served.Http.GetByteArrayAsync($"{Path}/1/patches?id=b.png"));

        Alphas(strongest).ShouldBe([0, 0, 215, 0]);
        Alphas(weaker).ShouldBe([71, 0, 0, 0]);
        await served.PageAsync($"{Path}/1/patches?id=none.png", HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_picture_is_given_by_its_id()
    {
        await using var served = await ServedRuns.StartAsync();
        await SmallAtlas.TellAsync(served);

        using var response = await served.Http.GetAsync($"/runs/{SmallAtlas.Run}/picture?id=a.png");

        response.Content.Headers.ContentType!.MediaType.ShouldBe("image/png");
        await served.PageAsync($"/runs/{SmallAtlas.Run}/picture?id=../a.png", HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Names_with_markup_stay_text_and_what_is_not_there_is_said()
    {
        await using var served = await ServedRuns.StartAsync();
        await SmallAtlas.TellAsync(served, Hostile);
        foreach (var path in new[] { Path, $"{Path}/1", $"{Path}?q={Uri.EscapeDataString(Hostile)}" })
        {
            (await served.PageAsync(path)).ShouldNotContain("<img src=x");
        }

        (await served.PageAsync($"{Path}/0", HttpStatusCode.NotFound)).ShouldContain("fires on no held-out image");
        (await served.PageAsync($"{Path}/99", HttpStatusCode.NotFound)).ShouldContain("has 4 features");
        (await served.PageAsync($"{Path}/x", HttpStatusCode.NotFound)).ShouldContain("numbered from 0");
        await served.PageAsync($"/runs/{SmallAtlas.Run}/atlas/none", HttpStatusCode.NotFound);
    }

    [Fact]
    public void Sixteen_thousand_features_are_searched_and_ordered()
    {
        const int Count = 16_384;
        var metrics = new AutoencoderMetrics(0, 1, 1, 1, 0, 0, 1, "topk", Count, 1, 1, 1, 1);
        var statistics = new SaeStatistics(
            "mlp@0",
            metrics,
            [],
            [
                .. Enumerable
                    .Range(0, Count)
                    .Select(feature => new FeatureStatistics(feature, feature / (double)Count, 1, null, $"name{feature % 100}", [])),
            ]
        );
        var volume = new AtlasVolume(RunRecord.Of("r", []), null!, statistics, null, () => "");
        var index = new FeatureIndex(1, [], [new IndexedFeature(7, 1, [], [new FrequentText("zebra", 1, 0.1)], [])]);

        AtlasPage.Find(volume, index, new AtlasPage.Query("", "density", false, 1))[0].Feature.ShouldBe(Count - 1);
        AtlasPage.Find(volume, index, new AtlasPage.Query("name42", "number", false, 1)).Count.ShouldBe(164);
        AtlasPage.Find(volume, index, new AtlasPage.Query("ZEBRA", "", false, 1)).ShouldHaveSingleItem().Feature.ShouldBe(7);
        AtlasPage.Find(volume, null, new AtlasPage.Query("zebra", "", false, 1)).ShouldBeEmpty();
    }

    private static int[] Alphas(SKBitmap bitmap) => [.. bitmap.Pixels.Select(pixel => (int)pixel.Alpha)];
}
