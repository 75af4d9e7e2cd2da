using System.Net;
using System.Text;
using ClipSae.Contracts;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace ClipSae.Hosting;

/// <summary>
/// Answers <c>/live</c> while the process runs, and <c>/ready</c> with 200 where bus and store can be used, otherwise with 503
/// and a line for each that cannot.
/// </summary>
internal sealed class HealthEndpoint(ClipSaeOptions options, HealthCheckService health) : BackgroundService
{
    private readonly HttpListener _listener = new();

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        _listener.Prefixes.Add(options.HealthAddress!.TrimEnd('/') + "/");
        try
        {
            _listener.Start();
        }
        catch (Exception error) when (error is HttpListenerException or System.Net.Sockets.SocketException)
        {
            throw new UserErrorException($"ClipSae:HealthAddress {options.HealthAddress}: cannot listen there ({error.Message.TrimEnd('.')})", error);
        }

        return base.StartAsync(cancellationToken);
    }

    public override void Dispose()
    {
        _listener.Close();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var stopping = stoppingToken.Register(_listener.Stop);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await AnswerAsync(await _listener.GetContextAsync(), stoppingToken);
            }
            catch (Exception error) when (error is HttpListenerException or ObjectDisposedException or OperationCanceledException or InvalidOperationException)
            {
                // The asker went away, or the process ends.
            }
        }
    }

    private async Task AnswerAsync(HttpListenerContext context, CancellationToken cancel)
    {
        var (status, text) = context.Request.Url?.AbsolutePath switch
        {
            "/live" => (200, "live\n"),
            "/ready" => await ReadyAsync(cancel),
            _ => (404, "ask for /live or /ready\n"),
        };
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain";
        await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(text), cancel);
        context.Response.Close();
    }

    private async Task<(int Status, string Text)> ReadyAsync(CancellationToken cancel)
    {
        var report = await health.CheckHealthAsync(cancel);
        var lines = string.Concat(report.Entries.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => $"{entry.Key}: {entry.Value.Status} {entry.Value.Description}\n"));
        return (report.Status == HealthStatus.Healthy ? 200 : 503, lines);
    }
}
