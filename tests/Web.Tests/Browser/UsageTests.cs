using System.Text.RegularExpressions;
using ClipSae.Pipeline.Stages;
using ClipSae.TestKit.Pipelines;
using ClipSae.Web.Atlas;
using ClipSae.Web.Security;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace ClipSae.Web.Tests.Browser;

/// <summary>What a person does on the pages.</summary>
[Collection(BrowserCollection.Name)]
public sealed partial class UsageTests(Chromium chromium)
{
    private const string Features = $"/runs/{SmallAtlas.Run}/atlas/mlp%400";

    [Fact]
    public async Task A_run_is_followed_live_until_its_end()
    {
        await using var served = await ServedRuns.StartAsync();
        var (first, second) = (Held(served.Pipeline.First), Held(served.Pipeline.Second));
        var run = await served.Runtime.SubmitAsync(await FakePipeline.RequestAsync(served.Runtime), FakePipeline.Plan());
        await using var visit = await chromium.VisitAsync(served);
        await visit.Page.GotoAsync($"/runs/{run}");
        var stages = visit.Page.Locator(".stages > li");
        await Expect(stages.Nth(0)).ToHaveClassAsync("running");
        await Expect(stages.Nth(0)).ToContainTextAsync("1 of 4 texts");
        await Expect(stages.Nth(1)).ToHaveClassAsync("waiting");
        await Expect(visit.Page.Locator(".workers li").First).ToContainTextAsync(WhicheverUnit());
        await visit.RequireReadableAsync("live");

        first.SetResult();
        await Expect(stages.Nth(0)).ToHaveClassAsync("done");
        await Expect(stages.Nth(0)).ToContainTextAsync("3 of 3 units");
        await Expect(stages.Nth(1)).ToHaveClassAsync("running");
        second.SetResult();

        await Expect(visit.Page.Locator(".title .status")).ToHaveTextAsync("done");
        await Expect(visit.Page.Locator(".stages .done")).ToHaveCountAsync(3);
        visit.Problems.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_run_is_cancelled_by_its_button_and_retried()
    {
        await using var served = await ServedRuns.StartAsync(new WebOptions { AllowChanges = true });
        var begun = served.Pipeline.Second.WorksWithoutEnd();
        var run = await served.Runtime.SubmitAsync(await FakePipeline.RequestAsync(served.Runtime), FakePipeline.Plan());
        await begun;
        await using var visit = await chromium.VisitAsync(served);
        await visit.Page.GotoAsync($"/runs/{run}");
        await ClickAsync(visit, "Cancel");
        await Expect(visit.Page.Locator(".title .status")).ToHaveTextAsync("cancelled");
        served.Pipeline.Second.Act = (_, _) => Task.CompletedTask;

        await ClickAsync(visit, "Retry");

        await Expect(visit.Page.Locator(".title .status")).ToHaveTextAsync("done");
        (await served.Runtime.StateAsync(new Uri(visit.Page.Url).Segments[^1])).End.ShouldBeOfType<RunCompleted>();
        visit.Problems.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_run_is_replayed_with_changes_that_are_checked_first()
    {
        await using var served = await ServedRuns.StartAsync(new WebOptions { AllowChanges = true });
        var run = await served.RunAsync();
        await using var visit = await chromium.VisitAsync(served);
        await visit.Page.GotoAsync($"/runs/{run}");
        await visit.RequireReadableAsync("replay");
        await visit.Page.Locator("select[name=from]").SelectOptionAsync("second");
        await visit.Page.Locator("textarea[name=changes]").FillAsync("second.factr=2");
        await ClickAsync(visit, "Replay");
        await Expect(visit.Page.Locator("main .problem")).ToContainTextAsync("factr");
        (await served.Runtime.ListRunsAsync()).Count.ShouldBe(1);

        await visit.Page.GoBackAsync();
        await visit.Page.Locator("textarea[name=changes]").FillAsync("");
        await ClickAsync(visit, "Replay");

        await Expect(visit.Page.Locator(".title .status")).ToHaveTextAsync("done");
        await Expect(visit.Page.Locator("main")).ToContainTextAsync($"Replays {run} from second.");
    }

    [Fact]
    public async Task Runs_are_chosen_and_compared()
    {
        await using var served = await ServedRuns.StartAsync();
        await served.RunAsync();
        await served.RunAsync(FakePipeline.Plan(factor: 7));
        await using var visit = await chromium.VisitAsync(served);
        await visit.Page.GotoAsync("/");
        foreach (var box in await visit.Page.Locator("input[name=run]").AllAsync())
        {
            await box.CheckAsync();
        }

        await ClickAsync(visit, "Compare selected runs");

        await Expect(visit.Page.GetByRole(AriaRole.Row, new() { Name = "first.factor" })).ToContainTextAsync("7");
        visit.Problems.ShouldBeEmpty();
    }

    [Fact]
    public async Task Features_are_indexed_searched_and_opened()
    {
        await using var served = await ServedRuns.StartAsync();
        await SmallAtlas.TellAsync(served, "stripes");
        await using var visit = await chromium.VisitAsync(served);
        await visit.Page.GotoAsync(Features);
        await ClickAsync(visit, "Compute the index");
        await Expect(visit.Page.Locator("main")).ToContainTextAsync("measured on all 3 images");

        await visit.Page.Locator("input[name=q]").FillAsync("strip");
        await visit.Page.Keyboard.PressAsync("Enter");
        await Expect(visit.Page.Locator(".card")).ToHaveCountAsync(1);
        await visit.Page.Locator(".card").ClickAsync();

        await Expect(visit.Page.Locator("h1")).ToHaveTextAsync("Feature 1");
        await Expect(visit.Page.Locator(".heat").First).ToBeVisibleAsync();
        await visit.Page.Locator("#heat").UncheckAsync();
        await Expect(visit.Page.Locator(".heat").First).ToBeHiddenAsync();
        (
            await visit.Page.EvaluateAsync<bool>(
                "[...document.querySelectorAll('.pic img')].every(img => img.loading === 'lazy' || img.naturalWidth > 0)"
            )
        ).ShouldBeTrue();
        visit.Problems.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_picture_that_is_dropped_is_what_the_models_see()
    {
        await using var served = await ServedRuns.StartAsync();
        await TriedRun.TellAsync(served);
        await using var visit = await chromium.VisitAsync(served);
        await visit.Page.GotoAsync($"/runs/{TriedRun.Run}/try");
        await DropAsync(visit, "[data-drop] .row");
        await visit.Page.Locator("input[name=word]").FillAsync("star");
        await visit.Page.Locator("select[name=family]").SelectOptionAsync("corner");
        await visit.Page.Locator("textarea[name=classes]").FillAsync("boat, car, cat");

        await ClickAsync(visit, "Ask");

        await Expect(visit.Page.Locator(".side").Nth(1).Locator(".answer li span").First).ToHaveTextAsync("star");
        await visit.RequireReadableAsync("answered");
    }

    [Fact]
    public async Task A_picture_that_is_dropped_on_the_features_finds_what_fires_on_it()
    {
        await using var served = await ServedRuns.StartAsync();
        await TunedAtlas.TellAsync(served);
        await using var visit = await chromium.VisitAsync(served);
        await visit.Page.GotoAsync(TunedAtlas.Path);

        await DropAsync(visit, "h1");

        await Expect(visit.Page.Locator("#firing")).ToBeVisibleAsync();
        await Expect(visit.Page.Locator(".firing .card").First).ToContainTextAsync("activation");
        await visit.RequireReadableAsync("firing");
    }

    [Fact]
    public async Task A_feature_is_ablated_and_fine_tuning_looked_at_on_demand()
    {
        await using var served = await ServedRuns.StartAsync();
        await TunedAtlas.TellAsync(served);
        await using var visit = await chromium.VisitAsync(served);
        await visit.Page.GotoAsync(TunedAtlas.Path + "/7");

        await ClickAsync(visit, "Ablate this feature");
        await Expect(visit.Page.Locator(".effect tbody tr")).ToHaveCountAsync(3);
        await visit.RequireReadableAsync("ablated");
        await visit.Page.GotoAsync(TunedAtlas.Path + "/before-after");
        await ClickAsync(visit, "Compare base and tuned model");

        await Expect(visit.Page.Locator("main")).ToContainTextAsync("Text response fell most");
        await visit.RequireReadableAsync("before and after");
    }

    [Fact]
    public async Task A_static_atlas_opens_from_the_file_system_and_is_searched()
    {
        await using var served = await ServedRuns.StartAsync();
        await SmallAtlas.TellAsync(served, "stripes");
        var folder = Path.Combine(served.Pipeline.Folder, "atlas");
        await StaticAtlas.WriteAsync(served.Runtime, SmallAtlas.Run, folder, 100, TimeProvider.System, (_, _) => { });
        await using var visit = await chromium.VisitAsync(served);
        await visit.Page.GotoAsync(new Uri(Path.Combine(folder, "index.html")).AbsoluteUri);
        await visit.Page.Locator("main a").ClickAsync();
        await visit.Page.Locator("input[type=search]").FillAsync("STRIPES");
        await Expect(visit.Page.Locator(".card:visible")).ToHaveCountAsync(1);
        await visit.RequireReadableAsync("static list");

        await visit.Page.Locator(".card:visible").ClickAsync();

        await Expect(visit.Page.Locator("h1")).ToHaveTextAsync("Feature 1");
        await visit.RequireReadableAsync("static feature");
        (
            await visit.Page.EvaluateAsync<bool>(
                "[...document.querySelectorAll('.pic img')].slice(0, 2).every(img => img.naturalWidth > 0)"
            )
        ).ShouldBeTrue();
    }

    /// <summary>Drops a grey picture on an element of the page.</summary>
    private static Task DropAsync(Visit visit, string place) =>
        visit.Page.EvaluateAsync(
            """
            ([place, picture]) => {
              const files = new DataTransfer();
              files.items.add(new File([Uint8Array.from(atob(picture), letter => letter.charCodeAt(0))], 'grey.png', { type: 'image/png' }));
              for (const type of ['dragover', 'drop']) document.querySelector(place).dispatchEvent(new DragEvent(type, { dataTransfer: files, bubbles: true, cancelable: true }));
            }
            """,
            new[] { place, Convert.ToBase64String(TriedRun.Grey()) }
        );

    /// <summary>Lets a stage's units tell of their progress until they are let go.</summary>
    private static TaskCompletionSource Held(FakeStage stage)
    {
        var released = new TaskCompletionSource();
        stage.Act = async (context, cancel) =>
        {
            while (!released.Task.IsCompleted)
            {
                context.Progress.Report(new StageProgress(1, 4, "texts"));
                await Task.Delay(100, cancel);
            }
        };
        return released;
    }

    private static Task ClickAsync(Visit visit, string button) =>
        visit.Page.GetByRole(AriaRole.Button, new() { Name = button }).ClickAsync();

    // Units of a stage are sent together, and any of them may be taken first.
    [GeneratedRegex("cpu, 1 thread: first/u0000[0-2]$")]
    private static partial Regex WhicheverUnit();
}
