using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using ClipSae.Pipeline.Execution;
using ClipSae.Pipeline.Runs;
using ClipSae.Results.Evaluation;
using ClipSae.TestKit.Pipelines;
using ClipSae.Web.Runs;
using ClipSae.Web.Security;

namespace ClipSae.Web.Tests;

public sealed class RunPagesTests
{
    private const string Hostile = "<img src=x onerror=alert(1)>\"'&";
    private static readonly DateTimeOffset At = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task A_finished_run_shows_its_stages_cache_outcomes_and_lineage()
    {
        await using var served = await ServedRuns.StartAsync();
        var first = await served.RunAsync();
        var second = await served.RunAsync();

        (await served.PageAsync("/")).ShouldContain($"<a href=\"/runs/{second}\">{second}</a>");
        var page = await served.PageAsync($"/runs/{second}");
        page.ShouldContain("from cache");
        page.ShouldContain($"same parameters and inputs as in run {first}");
        page.ShouldContain("first: text");
        var cost = Section(page, "cost");
        cost.ShouldContain($"from cache (3): same parameters and inputs as in run {first}");
        Section(await served.PageAsync($"/runs/{first}"), "cost")
            .ShouldContain("computed (3): no earlier result of this unit in this store");
        (await served.PageAsync($"/runs/{second}/units?stage=first")).ShouldContain("3 units");
    }

    [Fact]
    public async Task The_graph_of_lineage_has_a_link_for_every_stage_right_of_what_it_takes()
    {
        await using var served = await ServedRuns.StartAsync();
        var run = await served.RunAsync();

        var page = await served.PageAsync($"/runs/{run}");

        var graph = page[page.IndexOf("<svg class=\"lineage\"", StringComparison.Ordinal)..];
        graph = graph[..graph.IndexOf("</svg>", StringComparison.Ordinal)];
        graph.Split("<a class=\"node").Length.ShouldBe(5);
        graph.Split("class=\"edge\"").Length.ShouldBe(4);
        string[] order = ["inputs", "first", "second", "third"];
        var left = order
            .Select(name => graph.IndexOf($">{name}</text>", StringComparison.Ordinal))
            .Select(at => graph[..at].LastIndexOf("x=\"", StringComparison.Ordinal) + 3)
            .Select(at => int.Parse(graph[at..graph.IndexOf('"', at)], System.Globalization.CultureInfo.InvariantCulture))
            .ToArray();
        left.ShouldBe(left.Order());
        left.Distinct().Count().ShouldBe(4);
        graph.ShouldContain($"href=\"/runs/{run}/units?stage=second\"><rect");
    }

    [Fact]
    public async Task Runs_are_filtered_by_name_and_status()
    {
        await using var served = await ServedRuns.StartAsync();
        var run = await served.RunAsync();
        await served.TellAsync("other-run", Started("other-run", FakePipeline.Plan()));

        (await served.PageAsync("/?q=other")).ShouldNotContain(run);
        var done = await served.PageAsync("/?status=done");
        done.ShouldContain(run);
        done.ShouldNotContain("other-run");
        (await served.PageAsync("/?q=nothing")).ShouldContain("No run matches.");
    }

    [Fact]
    public async Task An_artifact_is_given_by_its_digest_only_where_the_run_names_it()
    {
        await using var served = await ServedRuns.StartAsync();
        var run = await served.RunAsync();
        var output = (await served.Runtime.StateAsync(run)).Stages["third"].Finished("all")!.Outputs["text"];
        var foreign = await served.Runtime.Artifacts.PutBytesAsync("secret"u8.ToArray(), "secret", "text/plain");

        using var response = await served.Http.GetAsync($"/runs/{run}/artifacts/{output.Digest}");

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentDisposition!.DispositionType.ShouldBe("attachment");
        (await response.Content.ReadAsStringAsync()).ShouldStartWith("third factor 1");
        await served.PageAsync($"/runs/{run}/artifacts/{foreign.Digest}", HttpStatusCode.NotFound);
        await served.PageAsync($"/runs/{run}/artifacts/..%2F..%2Fsecret", HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_missing_artifact_is_told_in_a_line()
    {
        await using var served = await ServedRuns.StartAsync();
        var run = await served.RunAsync();
        var output = (await served.Runtime.StateAsync(run)).Stages["third"].Finished("all")!.Outputs["text"];
        File.Delete(await served.Runtime.Artifacts.FetchAsync(output));

        (await served.PageAsync($"/runs/{run}/artifacts/{output.Digest}", HttpStatusCode.Conflict)).ShouldContain("is missing");
        await served.PageAsync($"/runs/{run}");
    }

    [Theory]
    [InlineData("/runs/none")]
    [InlineData("/runs/..%2F..%2Fetc")]
    [InlineData("/runs/none/live")]
    [InlineData("/runs/none/report")]
    [InlineData("/compare?run=none&run=other")]
    [InlineData("/assets/secret")]
    [InlineData("/nothing")]
    public async Task What_is_not_there_is_not_found(string path)
    {
        await using var served = await ServedRuns.StartAsync();
        (await served.PageAsync(path, HttpStatusCode.NotFound)).ShouldContain("Not found", Case.Sensitive);
    }

    [Fact]
    public async Task Names_with_markup_stay_text_everywhere()
    {
        await using var served = await ServedRuns.StartAsync();
        var run = "hostile";
        var plan = new RunPlan([
            new StagePlan(
                Hostile,
                new JsonObject { [Hostile] = Hostile },
                [new UnitPlan("one", [], []), new UnitPlan(Hostile, [], [])],
                [new InputSelector("x", $"dataset:{Hostile}")]
            ),
        ]);
        var artifact = new ArtifactRef(ClipSae.Artifacts.Digest.OfText("x"), 1, Hostile, Hostile);
        await served.TellAsync(
            run,
            Started(run, plan) with
            {
                Spec = new RunSpec(
                    new Dictionary<string, ArtifactRef> { ["model:weights"] = artifact },
                    new JsonObject { [Hostile] = new JsonObject { [Hostile] = Hostile } }
                ),
            },
            new UnitsRequested(Hostile, ["one", Hostile]) { At = At },
            new UnitFinished(
                Hostile,
                "one",
                Hostile,
                new string('0', 64),
                new Dictionary<string, ArtifactRef> { [Hostile] = artifact },
                [],
                new CacheOutcome(CacheKind.Miss, Hostile),
                1,
                At
            )
            {
                At = At,
            },
            new UnitFailed(Hostile, Hostile, Hostile, Hostile, 1) { At = At },
            new RunFailed(Hostile, Hostile, Hostile) { At = At }
        );

        foreach (
            var path in new[]
            {
                "/",
                $"/?q={Uri.EscapeDataString(Hostile)}&status={Uri.EscapeDataString(Hostile)}",
                $"/runs/{run}",
                $"/runs/{run}/units?q={Uri.EscapeDataString("<img src=x")}&stage={Uri.EscapeDataString(Hostile)}",
                $"/compare?run={run}&run={await served.RunAsync()}",
            }
        )
        {
            var page = await served.PageAsync(path);
            page.ShouldNotContain("<img src=x", Case.Insensitive, path);
        }

        (await served.PageAsync($"/runs/{run}")).ShouldContain("&lt;img src=x onerror=alert(1)&gt;&quot;&#x27;&amp;");
    }

    [Fact]
    public async Task Ten_thousand_units_are_shown_in_pages_of_a_bounded_size()
    {
        await using var served = await ServedRuns.StartAsync();
        var plan = FakePipeline.Plan(10_000);
        RunPlan one = new([plan.Stages[0]]);
        string[] names = [.. one.Stages[0].Units.Select(unit => unit.Name)];
        await served.TellAsync(
            "large",
            [
                Started("large", one),
                new UnitsRequested("first", names) { At = At },
                .. names
                    .Take(9_000)
                    .Select(name => new UnitFinished(
                        "first",
                        name,
                        "w",
                        new string('0', 64),
                        new Dictionary<string, ArtifactRef>(),
                        [],
                        new CacheOutcome(CacheKind.Miss, "new"),
                        1,
                        At
                    )
                    {
                        At = At,
                    }),
                .. names.Skip(9_000).Take(500).Select(name => new UnitFailed("first", name, "w", "torn", 3) { At = At }),
            ]
        );

        var page = await served.PageAsync("/runs/large");
        page.ShouldContain("9,000 of 10,000 units");
        page.ShouldContain("All failures");
        page.Length.ShouldBeLessThan(40_000);
        var units = await served.PageAsync("/runs/large/units?status=failed&page=5");
        units.ShouldContain("page 5 of 5");
        units.Length.ShouldBeLessThan(80_000);
    }

    [Fact]
    public async Task Compared_runs_show_metrics_and_parameters_that_differ_and_no_others()
    {
        await using var served = await ServedRuns.StartAsync();
        var slow = await served.RunAsync(FakePipeline.Plan(factor: 1));
        var fast = await served.RunAsync(FakePipeline.Plan(factor: 7));

        var page = await served.PageAsync($"/compare?run={slow}&run={fast}");

        page.ShouldContain("<th scope=\"row\">first.factor</th><td><code>1</code></td><td><code>7</code></td>");
        page.ShouldNotContain("first.mode");
    }

    [Fact]
    public void Worst_family_is_the_one_with_the_least_accuracy_under_attack()
    {
        var metrics = new ModelMetrics
        {
            Name = "m",
            HeldOut = new HeldOutMetrics { Attacked = 0.9 },
            Families = new Dictionary<string, FamilyAccuracy>
            {
                ["plain"] = new(0.5),
                ["sign"] = new(0.2),
                ["curved"] = new(0.3),
            },
        };

        ScoreTable.Worst(metrics).ShouldBe(("sign", 0.2));
        ScoreTable.Worst(metrics with { Families = null }).ShouldBe(("attacked, held-out", 0.9));
    }

    [Fact]
    public async Task A_run_is_followed_to_its_end()
    {
        await using var served = await ServedRuns.StartAsync();
        var begun = served.Pipeline.Second.WorksWithoutEnd();
        var run = await served.Runtime.SubmitAsync(await FakePipeline.RequestAsync(served.Runtime), FakePipeline.Plan());
        await begun;
        using var response = await served.Http.GetAsync($"/runs/{run}/live", HttpCompletionOption.ResponseHeadersRead);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
        using var stream = new StreamReader(await response.Content.ReadAsStreamAsync());

        var board = await EventAsync(stream);
        board.ShouldStartWith("event: board");
        board.ShouldContain("Workers at work");
        board.ShouldContain($"<b>{StageRunner.Worker}</b> cpu");
        await served.Runtime.CancelAsync(run);
        var events = new List<string>();
        while (!events.LastOrDefault("").StartsWith("event: end", StringComparison.Ordinal))
        {
            events.Add(await EventAsync(stream));
        }

        events[^2].ShouldContain("stopped");
        events[^1].ShouldBe("event: end\ndata: ended\n");
    }

    [Fact]
    public async Task A_stage_of_several_runs_is_replayed_with_a_change_and_what_cannot_be_is_told()
    {
        await using var served = await ServedRuns.StartAsync(new WebOptions { AllowChanges = true });
        var (first, second) = (await served.RunAsync(), await served.RunAsync(FakePipeline.Plan(factor: 7)));
        await served.TellAsync(
            "bare",
            new RunStarted("bare", new RunPlan([]), new RunSpec(new Dictionary<string, ArtifactRef>(), [])) { At = At }
        );
        (await served.PageAsync("/")).ShouldContain("formaction=\"/backfill\"");
        (await served.PageAsync($"/backfill?run={first}&run={second}")).ShouldContain("<option>third</option>");

        var page = await BackfillAsync(served, await served.SecretAsync(), HttpStatusCode.OK, first, second, "bare");

        page.ShouldContain("2 of 3 replays started");
        page.ShouldContain("class=\"problem\"");
        var replays = (await served.Runtime.ListRunsAsync()).Where(run => run.Origin is not null).ToArray();
        replays
            .Select(run => run.Origin)
            .ShouldBe([new ReplayOrigin(first, "second"), new ReplayOrigin(second, "second")], ignoreOrder: true);
        foreach (var replay in replays)
        {
            (await served.Runtime.WaitAsync(replay.Run)).Status.ShouldBe(RunStatus.Completed);
        }

        await BackfillAsync(served, "wrong", HttpStatusCode.Forbidden, first);
        await using var reading = await ServedRuns.StartAsync();
        await reading.PageAsync($"/backfill?run={await reading.RunAsync()}", HttpStatusCode.NotFound);
        await BackfillAsync(reading, await reading.SecretAsync(), HttpStatusCode.NotFound, first);
    }

    private static async Task<string> BackfillAsync(ServedRuns served, string secret, HttpStatusCode expected, params string[] runs)
    {
        using var form = new FormUrlEncodedContent([
            KeyValuePair.Create("csrf", secret),
            KeyValuePair.Create("from", "second"),
            KeyValuePair.Create("changes", ""),
            .. runs.Select(run => KeyValuePair.Create("run", run)),
        ]);
        using var response = await served.Http.PostAsync("/backfill", form);
        var page = await response.Content.ReadAsStringAsync();
        response.StatusCode.ShouldBe(expected, page);
        return page;
    }

    private static string Section(string page, string id)
    {
        var start = page.IndexOf($"<h2 id=\"{id}\"", StringComparison.Ordinal);
        return page[start..page.IndexOf("</section>", start, StringComparison.Ordinal)];
    }

    private static RunStarted Started(string run, RunPlan plan) =>
        new(run, plan, new RunSpec(new Dictionary<string, ArtifactRef>(), [])) { At = At };

    private static async Task<string> EventAsync(StreamReader stream)
    {
        var text = new StringBuilder();
        while (await stream.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(20)) is { Length: > 0 } line)
        {
            text.Append(line).Append('\n');
        }

        return text.ToString();
    }
}
