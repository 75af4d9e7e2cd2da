using ClipSae.TestKit.Pipelines;
using ClipSae.Web.Security;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace ClipSae.Web.Tests.Browser;

/// <summary>What a page of another site, or someone without the token, gets from a browser that can reach the pages.</summary>
[Collection(BrowserCollection.Name)]
public sealed class StrangerTests(Chromium chromium)
{
    [Fact]
    public async Task A_name_that_leads_here_is_not_served()
    {
        await using var served = await ServedRuns.StartAsync();
        await using var visit = await chromium.VisitAsync(served);
        var answer = await visit.Page.GotoAsync($"http://{Chromium.Stranger}:{served.Server.Address.Port}/");
        answer!.Status.ShouldBe(403);
    }

    [Fact]
    public async Task A_page_of_another_site_can_read_nothing_and_change_nothing()
    {
        await using var served = await ServedRuns.StartAsync(new WebOptions { AllowChanges = true });
        await using var other = await ServedRuns.StartAsync();
        _ = served.Pipeline.First.WorksWithoutEnd();
        var run = await served.Runtime.SubmitAsync(await FakePipeline.RequestAsync(served.Runtime), FakePipeline.Plan());
        await using var visit = await chromium.VisitAsync(other);

        // The other site's own policy would keep its scripts from asking; an attacker's does not.
        await visit.Page.RouteAsync("**/attack", route =>
            route.FulfillAsync(
                new RouteFulfillOptions
                {
                    ContentType = "text/html",
                    Body =
                        $"<form method=post action=\"{served.Server.Address}runs/{run}/cancel\"><input name=csrf value=guess>"
                        + "<button>go</button></form>",
                }
            )
        );
        await visit.Page.GotoAsync("/attack");
        (
            await visit.Page.EvaluateAsync<string>(
                "address => fetch(address, { credentials: 'include' }).then(answer => answer.text(), error => `refused: ${error.message}`)",
                $"{served.Server.Address}runs/{run}"
            )
        ).ShouldStartWith("refused");
        var sent = await visit.Page.RunAndWaitForResponseAsync(
            () => visit.Page.GetByRole(AriaRole.Button).ClickAsync(),
            response => response.Request.Method == "POST"
        );

        sent.Status.ShouldBe(403);
        (await served.Runtime.StateAsync(run)).CancelRequested.ShouldBeFalse();
        await served.Runtime.CancelAsync(run);
        await served.Runtime.WaitAsync(run);
    }

    [Fact]
    public async Task Without_the_token_nothing_is_shown_and_with_it_the_address_is_clean()
    {
        await using var served = await ServedRuns.StartAsync(new WebOptions { Token = "a-token-of-sufficient-length" });
        await using (var visit = await chromium.VisitAsync(served))
        {
            (await visit.Page.GotoAsync("/"))!.Status.ShouldBe(401);
            await visit.Page.GotoAsync(new UriBuilder(served.Server.Open) { Host = "127.0.0.1" }.Uri.ToString());
            await Expect(visit.Page.Locator("h1")).ToHaveTextAsync("Runs");
            visit.Page.Url.ShouldNotContain("token");
        }

        await using var stranger = await chromium.VisitAsync(served);
        (await stranger.Page.GotoAsync("/"))!.Status.ShouldBe(401);
    }
}
