using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace ClipSae.Hosting.Health;

/// <summary>
/// Answers <c>/live</c> while the process runs, and <c>/ready</c> with 200 where bus, store and device can be used, otherwise with 503 and
/// a line for each that cannot: to whoever asks, since probes know neither host name nor token.
/// </summary>
public static class HealthProbes
{
    private const string Live = "/live";
    private const string Ready = "/ready";

    /// <summary>Whether a request is a probe.</summary>
    public static bool Asks(HttpRequest request) => request.Path.Value is Live or Ready && HttpMethods.IsGet(request.Method);

    /// <summary>Answers a probe; anything else is not found.</summary>
    /// <param name="health">The checks of this process; null where it needs no server.</param>
    /// <param name="saysWhy">Whether it says why something cannot be used: not where strangers can ask.</param>
    public static async Task AnswerAsync(HttpContext context, HealthCheckService? health, bool saysWhy)
    {
        var (status, text) = context.Request.Path.Value switch
        {
            Live when Asks(context.Request) => (StatusCodes.Status200OK, "live\n"),
            Ready when Asks(context.Request) => await ReadyAsync(health, saysWhy, context.RequestAborted),
            _ => (StatusCodes.Status404NotFound, $"ask for {Live} or {Ready}\n"),
        };
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.Headers["X-Process-Id"] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        await context.Response.WriteAsync(text, context.RequestAborted);
    }

    private static async Task<(int Status, string Text)> ReadyAsync(HealthCheckService? health, bool saysWhy, CancellationToken cancel)
    {
        if (health is null)
        {
            return (StatusCodes.Status200OK, "ready\n");
        }

        var report = await health.CheckHealthAsync(cancel);
        return (
            report.Status == HealthStatus.Healthy ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable,
            string.Concat(
                report
                    .Entries.OrderBy(entry => entry.Key, StringComparer.Ordinal)
                    .Select(entry => $"{entry.Key}: {entry.Value.Status}{(saysWhy ? " " + entry.Value.Description : "")}\n")
            )
        );
    }
}
