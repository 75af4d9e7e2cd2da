using System.Net;
using ClipSae.TestKit.Logs;
using ClipSae.TestKit.Pipelines;
using ClipSae.Web.Security;

namespace ClipSae.Web.Tests;

public sealed class AccessTests
{
    private const string Token = "a-token-of-sufficient-length";

    [Theory]
    [InlineData("attacker.example")]
    [InlineData("127.0.0.1.attacker.example")]
    [InlineData("localhost.")]
    public async Task A_host_that_is_not_served_is_refused(string host)
    {
        await using var served = await ServedRuns.StartAsync();
        (await AskAsync(served, request => request.Headers.Host = host)).ShouldBe(HttpStatusCode.Forbidden);
        (await AskAsync(served, request => request.Headers.Host = $"localhost:{served.Server.Address.Port}")).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_host_name_that_was_given_is_served()
    {
        await using var served = await ServedRuns.StartAsync(new WebOptions { HostNames = ["workstation.lan"] });
        (await AskAsync(served, request => request.Headers.Host = "workstation.lan")).ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("Origin", "http://attacker.example")]
    [InlineData("Origin", "null")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    public async Task Other_sites_cannot_ask(string header, string value)
    {
        await using var served = await ServedRuns.StartAsync();
        (await AskAsync(served, request => request.Headers.Add(header, value))).ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_link_from_another_site_opens_a_page()
    {
        await using var served = await ServedRuns.StartAsync();
        (await AskAsync(served, request =>
            {
                request.Headers.Add("Sec-Fetch-Site", "cross-site");
                request.Headers.Add("Sec-Fetch-Mode", "navigate");
                request.Headers.Add("Sec-Fetch-Dest", "document");
            })).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task With_a_token_nothing_is_answered_without_it()
    {
        await using var served = await ServedRuns.StartAsync(new WebOptions { Token = Token });
        foreach (var path in new[] { "/", "/compare", "/assets/app.css", "/runs/any" })
        {
            (await served.Http.GetAsync(path)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized, path);
        }

        (await served.Http.GetAsync("/?token=wrong-token-of-some-length")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await AskAsync(served, request => request.Headers.Add("Authorization", $"Bearer {Token}"))).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task The_address_with_the_token_moves_it_into_a_cookie()
    {
        await using var served = await ServedRuns.StartAsync(new WebOptions { Token = Token });
        served.Server.Open.Query.ShouldBe($"?token={Token}");

        using var first = await served.Http.GetAsync(served.Server.Open);

        first.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        first.Headers.Location!.ToString().ShouldBe("/");
        var cookie = first.Headers.GetValues("Set-Cookie").Single();
        cookie.ShouldContain("httponly");
        cookie.ShouldContain("samesite=strict");
        (await AskAsync(served, request => request.Headers.Add("Cookie", cookie.Split(';')[0]))).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Other_machines_can_ask_only_with_a_token()
    {
        await using var served = await ServedRuns.StartAsync(new WebOptions { Address = IPAddress.Any });
        served.Server.Open.Query.ShouldStartWith("?token=");
        (await served.Http.GetAsync("/")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Pages_only_read_unless_changes_are_allowed()
    {
        await using var served = await ServedRuns.StartAsync();
        var run = await served.RunAsync();
        using var response = await served.PostAsync($"/runs/{run}/retry", await served.SecretAsync());
        response.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        using var replayed = await served.PostAsync($"/runs/{run}/replay", await served.SecretAsync());
        replayed.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await served.PageAsync($"/runs/{run}")).ShouldNotContain("<form method=\"post\"");
    }

    [Fact]
    public async Task A_change_needs_the_secret_of_a_page_even_on_loopback()
    {
        await using var served = await ServedRuns.StartAsync(new WebOptions { AllowChanges = true });
        _ = served.Pipeline.First.WorksWithoutEnd();
        var run = await served.Runtime.SubmitAsync(await FakePipeline.RequestAsync(served.Runtime), FakePipeline.Plan());
        foreach (var secret in new[] { null, "wrong" })
        {
            using var refused = await served.PostAsync($"/runs/{run}/cancel", secret);
            refused.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        }

        using var elsewhere = await served.PostAsync($"/runs/{run}/cancel", await served.SecretAsync(), request =>
            request.Headers.Add("Origin", "http://attacker.example")
        );
        elsewhere.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await served.Runtime.StateAsync(run)).CancelRequested.ShouldBeFalse();

        using var cancelled = await served.PostAsync($"/runs/{run}/cancel", await served.SecretAsync(), request =>
            request.Headers.Add("Origin", served.Server.Address.GetLeftPart(UriPartial.Authority))
        );
        cancelled.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        (await served.Runtime.WaitAsync(run)).End.ShouldBeOfType<RunCancelled>();
    }

    [Fact]
    public async Task A_cancelled_run_is_retried()
    {
        await using var served = await ServedRuns.StartAsync(new WebOptions { AllowChanges = true });
        _ = served.Pipeline.Second.WorksWithoutEnd();
        var run = await served.Runtime.SubmitAsync(await FakePipeline.RequestAsync(served.Runtime), FakePipeline.Plan());
        await served.Runtime.CancelAsync(run);
        await served.Runtime.WaitAsync(run);
        served.Pipeline.Second.Act = (_, _) => Task.CompletedTask;
        (await served.PageAsync($"/runs/{run}")).ShouldContain($"action=\"/runs/{run}/retry\"");

        using var response = await served.PostAsync($"/runs/{run}/retry", await served.SecretAsync());

        response.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        var retried = response.Headers.Location!.ToString()["/runs/".Length..];
        (await served.Runtime.WaitAsync(retried)).End.ShouldBeOfType<RunCompleted>();
        (await served.PageAsync($"/runs/{run}")).ShouldContain($"Replayed by <a href=\"/runs/{retried}\"");
    }

    [Fact]
    public async Task Every_answer_says_that_nothing_from_elsewhere_may_run()
    {
        await using var served = await ServedRuns.StartAsync();
        foreach (var path in new[] { "/", "/nothing", "/assets/app.js" })
        {
            using var response = await served.Http.GetAsync(path);
            var policy = response.Headers.GetValues("Content-Security-Policy").Single();
            policy.ShouldStartWith("default-src 'none'; script-src 'self'");
            policy.ShouldNotContain("unsafe");
            response.Headers.GetValues("X-Content-Type-Options").Single().ShouldBe("nosniff");
        }
    }

    [Fact]
    public async Task Requests_are_not_logged_one_by_one()
    {
        using var pipeline = new FakePipeline();
        using var log = new RequestLog();
        await using var runtime = pipeline.Start(log);
        await using var server = await WebServer.StartAsync(runtime, new WebOptions(), pipeline.Folder, TimeProvider.System);
        using var http = new HttpClient();

        (await http.GetStringAsync(server.Address)).ShouldContain("ClipSae");
        log.Lines.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_port_in_use_is_told_in_a_line()
    {
        await using var served = await ServedRuns.StartAsync();
        var error = await Should.ThrowAsync<UserErrorException>(() =>
            WebServer.StartAsync(served.Runtime, new WebOptions { Port = served.Server.Address.Port }, "data", TimeProvider.System)
        );
        error.Message.ShouldBe(
            $"port {served.Server.Address.Port} of 127.0.0.1 is in use: choose another with --port, or leave it out for a free one"
        );
    }

    private static async Task<HttpStatusCode> AskAsync(ServedRuns served, Action<HttpRequestMessage> change)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        change(request);
        using var response = await served.Http.SendAsync(request);
        return response.StatusCode;
    }
}
