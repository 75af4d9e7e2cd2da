using System.Net;
using ClipSae.Web.Security;

namespace ClipSae.Web.Tests;

/// <summary>What the pages need as a program of their own.</summary>
public sealed class ProgramTests
{
    [Fact]
    public async Task Probes_are_answered_without_token_and_host_name_and_tell_nothing_of_runs()
    {
        await using var served = await ServedRuns.StartAsync(new WebOptions { Token = "a-token-of-sufficient-length" });
        var run = await served.RunAsync();
        foreach (var path in new[] { "/live", "/ready" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Host = "10.1.2.3:8080";
            using var answer = await served.Http.SendAsync(request);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
            answer.Headers.GetValues("X-Process-Id").Single().ShouldBe($"{Environment.ProcessId}");
            (await answer.Content.ReadAsStringAsync()).ShouldNotContain(run);
        }

        using var posted = await served.PostAsync("/live");
        posted.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Theory]
    [InlineData("--token-file is needed", "--listen", "0.0.0.0")]
    [InlineData("must be an IP address", "--listen", "everywhere")]
    [InlineData("must be a whole number", "--port", "eighty")]
    [InlineData("expected a value", "--port")]
    [InlineData("unknown argument --allow-changes", "--allow-changes")]
    public void What_cannot_be_is_told_in_a_line(string line, params string[] arguments) =>
        Should.Throw<UserErrorException>(() => WebArguments.Parse(arguments)).Message.ShouldContain(line);

    [Fact]
    public void Arguments_say_where_and_for_whom()
    {
        var parsed = WebArguments.Parse([
            "--listen",
            "0.0.0.0",
            "--port",
            "8080",
            "--host-name",
            "a.lan",
            "--host-name",
            "b.lan",
            "--token-file",
            "/secrets/token",
        ]);
        (parsed.Listen, parsed.Port, parsed.TokenFile, parsed.Help).ShouldBe((IPAddress.Any, 8080, "/secrets/token", false));
        parsed.HostNames.ShouldBe(["a.lan", "b.lan"]);
    }
}
