using System.Net;
using System.Net.Sockets;
using ClipSae.Hosting.Health;
using ClipSae.Hosting.Settings;
using ClipSae.TestKit.Logs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace ClipSae.Hosting.Tests;

public sealed class HealthEndpointTests
{
    [Fact]
    public async Task Live_and_ready_are_told_apart_and_nothing_else_is_answered()
    {
        var state = HealthCheckResult.Healthy("well");
        using var log = new RequestLog();
        await using var services = Checks(() => state, log);
        await using var endpoint = Endpoint(services, out var address);
        await endpoint.StartAsync(default);
        using var http = new HttpClient();

        (await AskAsync(HttpMethod.Get, "live")).ShouldBe((HttpStatusCode.OK, "live\n"));
        (await AskAsync(HttpMethod.Get, "ready?at=once")).ShouldBe((HttpStatusCode.OK, "store: Healthy well\n"));
        state = HealthCheckResult.Unhealthy("full");
        (await AskAsync(HttpMethod.Get, "ready")).ShouldBe((HttpStatusCode.ServiceUnavailable, "store: Unhealthy full\n"));
        (await AskAsync(HttpMethod.Get, "live")).Status.ShouldBe(HttpStatusCode.OK);
        (await AskAsync(HttpMethod.Get, "")).Status.ShouldBe(HttpStatusCode.NotFound);
        (await AskAsync(HttpMethod.Post, "ready")).Status.ShouldBe(HttpStatusCode.NotFound);
        await endpoint.StopAsync(default);
        log.Lines.ShouldBeEmpty();
        await Should.ThrowAsync<HttpRequestException>(() => http.GetAsync(new Uri(address, "live")));

        async Task<(HttpStatusCode Status, string Text)> AskAsync(HttpMethod method, string path)
        {
            using var request = new HttpRequestMessage(method, new Uri(address, path));
            using var answer = await http.SendAsync(request);
            answer.Headers.GetValues("X-Process-Id").Single().ShouldBe($"{Environment.ProcessId}");
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
        }
    }

    [Fact]
    public async Task A_port_that_is_taken_is_told_in_a_line()
    {
        await using var services = Checks(() => HealthCheckResult.Healthy());
        await using var first = Endpoint(services, out var address);
        await first.StartAsync(default);
        await using var second = new HealthEndpoint(
            new ClipSaeOptions { HealthAddress = address.ToString() },
            services.GetRequiredService<HealthCheckService>(),
            services.GetServices<ILoggerProvider>()
        );

        (await Should.ThrowAsync<UserErrorException>(() => second.StartAsync(default))).Message.ShouldStartWith(
            $"ClipSae:HealthAddress {address}: cannot listen there ("
        );
    }

    [Theory]
    [InlineData("127.0.0.1:8081")]
    [InlineData("https://127.0.0.1:8081/")]
    [InlineData("http://example.org:8081/")]
    public async Task An_address_that_is_none_is_told_in_a_line(string address)
    {
        await using var services = Checks(() => HealthCheckResult.Healthy());
        await using var endpoint = new HealthEndpoint(
            new ClipSaeOptions { HealthAddress = address },
            services.GetRequiredService<HealthCheckService>(),
            services.GetServices<ILoggerProvider>()
        );

        (await Should.ThrowAsync<UserErrorException>(() => endpoint.StartAsync(default))).Message.ShouldContain(
            "expected http://ADDRESS:PORT/"
        );
    }

    private static HealthEndpoint Endpoint(IServiceProvider services, out Uri address)
    {
        using var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        address = new Uri($"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}/");
        return new HealthEndpoint(
            new ClipSaeOptions { HealthAddress = address.ToString() },
            services.GetRequiredService<HealthCheckService>(),
            services.GetServices<ILoggerProvider>()
        );
    }

    private static ServiceProvider Checks(Func<HealthCheckResult> state, RequestLog? log = null)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        if (log is not null)
        {
            services.AddSingleton<ILoggerProvider>(log);
        }

        services.AddHealthChecks().AddCheck("store", state);
        return services.BuildServiceProvider();
    }
}
