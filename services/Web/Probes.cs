using System.Globalization;
using ClipSae.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace ClipSae.Web;

/// <summary>Answers <c>/live</c> and <c>/ready</c> as the other services do, to whoever asks: probes know neither host name nor token. Nothing of a run is told.</summary>
internal static class Probes
{
    public static async Task InvokeAsync(HttpContext context, RequestDelegate next, ClipSaeRuntime runtime)
    {
        if (context.Request.Path.Value is not ("/live" or "/ready") || !HttpMethods.IsGet(context.Request.Method))
        {
            await next(context);
            return;
        }

        var (status, text) = context.Request.Path == "/live" ? (StatusCodes.Status200OK, "live\n") : await ReadyAsync(runtime, context.RequestAborted);
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.Headers["X-Process-Id"] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        await context.Response.WriteAsync(text, context.RequestAborted);
    }

    private static async Task<(int Status, string Text)> ReadyAsync(ClipSaeRuntime runtime, CancellationToken cancel)
    {
        if (runtime.Services.GetService<HealthCheckService>() is not { } health)
        {
            return (StatusCodes.Status200OK, "ready\n");
        }

        var report = await health.CheckHealthAsync(cancel);
        return (
            report.Status == HealthStatus.Healthy ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable,
            string.Concat(report.Entries.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => $"{entry.Key}: {entry.Value.Status}\n")));
    }
}
