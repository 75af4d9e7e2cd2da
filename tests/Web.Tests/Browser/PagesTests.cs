using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Pipeline.Runs;
using ClipSae.TestKit.Pipelines;
using ClipSae.Web.Security;

namespace ClipSae.Web.Tests.Browser;

/// <summary>
/// What the pages look like to a browser: nothing is cut off, nothing is asked from elsewhere, and a screen reader can read them.
/// </summary>
[Collection(BrowserCollection.Name)]
public sealed class PagesTests(Chromium chromium)
{
    private const string Hostile =
        "<img src=x onerror=alert(1)><script>alert(2)</script>\"'&averyveryverylongnamewithoutanyplacetobreakitatallthatgoesonandonandon";
    private static readonly DateTimeOffset At = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Every_page_fits_its_window_and_can_be_read_aloud()
    {
        await using var served = await ServedRuns.StartAsync(new WebOptions { AllowChanges = true });
        await SmallAtlas.TellAsync(served, "stripes");
        await TunedAtlas.TellAsync(served);
        var (slow, fast) = (await served.RunAsync(), await served.RunAsync(FakePipeline.Plan(factor: 7)));
        await using var visit = await chromium.VisitAsync(served);
        const string Features = $"/runs/{SmallAtlas.Run}/atlas/mlp%400";
        foreach (
            var path in new[]
            {
                "/",
                "/?q=none",
                $"/runs/{slow}",
                $"/runs/{slow}/units",
                $"/runs/{SmallAtlas.Run}",
                Features,
                Features + "/1",
                $"/runs/{TunedAtlas.Run}/try",
                TunedAtlas.Path + "/7",
                TunedAtlas.Path + "/before-after",
                $"/compare?run={slow}&run={fast}",
                "/compare",
                $"/backfill?run={slow}&run={fast}",
            }
        )
        {
            await visit.Page.GotoAsync(path);
            await visit.RequireReadableAsync(path);
        }
    }

    [Fact]
    public async Task A_hostile_run_breaks_nothing()
    {
        await using var served = await ServedRuns.StartAsync();
        await SmallAtlas.TellAsync(served, Hostile);
        var run = await TellHostileAsync(served);
        await using var visit = await chromium.VisitAsync(served);

        foreach (
            var path in new[]
            {
                "/",
                $"/runs/{run}",
                $"/runs/{run}/units?q=x",
                $"/runs/{run}/units?page=100",
                $"/runs/{SmallAtlas.Run}/atlas/mlp%400",
                $"/runs/{SmallAtlas.Run}/atlas/mlp%400/1",
                $"/compare?run={run}&run={SmallAtlas.Run}",
            }
        )
        {
            await visit.SeeAsync(path);
            (await visit.Page.Locator("main img[onerror], main script").CountAsync()).ShouldBe(0, path);
        }

        // What is named but gone is told on a page, not by a broken one.
        await visit.Page.GotoAsync($"/runs/{run}/report");
        (await visit.Page.TextContentAsync("main .problem")).ShouldEndWith("run again to recompute the stage that made it");
        await visit.Page.GotoAsync($"/runs/{run}/atlas/mlp%400");
        (await visit.Page.TextContentAsync("main .problem"))!.ShouldContain("cannot be read as statistics/1");
    }

    /// <summary>A run of ten thousand shards, whose names are markup and whose artifacts are gone.</summary>
    private static async Task<string> TellHostileAsync(ServedRuns served)
    {
        const string Run = "hostile";
        string[] shards = [.. Enumerable.Range(0, 10_000).Select(shard => $"{shard:D5}{Hostile}")];
        var gone = new ArtifactRef(Digest.OfText("gone"), 4, Hostile, Hostile);
        var plan = new RunPlan([
            new StagePlan(
                ParameterSections.Extraction,
                new JsonObject { [Hostile] = Hostile },
                [.. shards.Select(shard => new UnitPlan(shard, [], []))],
                [new InputSelector("x", $"dataset:{Hostile}")]
            ),
            new StagePlan(ParameterSections.Sae, [], [new UnitPlan("mlp@0", [], [])], []),
            new StagePlan(ParameterSections.Report, [], [new UnitPlan("all", [], [])], []),
        ]);
        await served.TellAsync(
            Run,
            [
                new RunStarted(
                    Run,
                    plan,
                    new RunSpec(
                        new Dictionary<string, ArtifactRef>
                        {
                            ["model:weights"] = gone,
                            ["model:tokenizer"] = gone,
                            [$"dataset:shards/{Hostile}"] = gone,
                        },
                        new JsonObject { [Hostile] = new JsonObject { [Hostile] = Hostile } }
                    )
                )
                {
                    At = At,
                },
                .. shards.Take(9_000).Select(shard => Finished(ParameterSections.Extraction, shard, Hostile)),
                .. shards.Skip(9_000).Select(shard => new UnitFailed(ParameterSections.Extraction, shard, Hostile, Hostile, 1) { At = At }),
                Finished(ParameterSections.Sae, "mlp@0", "statistics", "sae"),
                Finished(ParameterSections.Report, "all", "report"),
                new RunFailed(Hostile, Hostile, Hostile) { At = At },
            ]
        );
        return Run;

        UnitFinished Finished(string stage, string unit, params string[] outputs) =>
            new(
                stage,
                unit,
                Hostile,
                new string('0', 64),
                outputs.ToDictionary(output => output, _ => gone),
                [],
                new CacheOutcome(CacheKind.Miss, Hostile),
                1,
                At
            )
            {
                At = At,
            };
    }
}
