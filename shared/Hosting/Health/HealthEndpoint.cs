using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ClipSae.Contracts;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace ClipSae.Hosting;

/// <summary>
/// Answers <c>/live</c> while the process runs, and <c>/ready</c> with 200 where bus, store and device can be used, otherwise with 503
/// and a line for each that cannot.
/// </summary>
/// <remarks>
/// Plain sockets: <see cref="HttpListener"/> throws at its start where someone connects at that moment, as probes do, and the process
/// would end.
/// </remarks>
internal sealed class HealthEndpoint(ClipSaeOptions options, HealthCheckService health) : BackgroundService
{
    private const int MaxRequestLength = 8192;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(15);
    private TcpListener _listener = null!;

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        _listener = Listener(options.HealthAddress!);
        try
        {
            _listener.Start();
        }
        catch (SocketException error)
        {
            throw new UserErrorException($"ClipSae:HealthAddress {options.HealthAddress}: cannot listen there ({error.Message.TrimEnd('.')})", error);
        }

        return base.StartAsync(cancellationToken);
    }

    public override void Dispose()
    {
        _listener?.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                _ = AnswerAsync(await _listener.AcceptTcpClientAsync(stoppingToken), stoppingToken);
            }
            catch (Exception error) when (error is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // The asker went away, or the process ends.
            }
        }
    }

    // http://127.0.0.1:8081/, http://localhost:8081/, or http://+:8081/ for every address of the machine.
    private static TcpListener Listener(string address)
    {
        const string Every = "0.0.0.0";
        var text = address.Replace("://+", "://" + Every, StringComparison.Ordinal).Replace("://*", "://" + Every, StringComparison.Ordinal);
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme != Uri.UriSchemeHttp
            || !IPAddress.TryParse(uri.Host == "localhost" ? "127.0.0.1" : uri.DnsSafeHost, out var host))
        {
            throw new UserErrorException($"ClipSae:HealthAddress {address}: expected http://ADDRESS:PORT/, for example http://127.0.0.1:8081/, or http://+:8080/ for every address");
        }

        return uri.Host == Every ? TcpListener.Create(uri.Port) : new TcpListener(host, uri.Port);
    }

    private async Task AnswerAsync(TcpClient client, CancellationToken stopping)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        limit.CancelAfter(Timeout);
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                var (status, text) = await PathAsync(stream, limit.Token) switch
                {
                    "/live" => ("200 OK", "live\n"),
                    "/ready" => await ReadyAsync(limit.Token),
                    _ => ("404 Not Found", "ask for /live or /ready\n"),
                };
                var body = Encoding.UTF8.GetBytes(text);
                var head = string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {body.Length}\r\nX-Process-Id: {Environment.ProcessId}\r\nConnection: close\r\n\r\n");
                await stream.WriteAsync((byte[])[.. Encoding.ASCII.GetBytes(head), .. body], limit.Token);
            }
            catch (Exception error) when (error is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // The asker went away, or the process ends.
            }
        }
    }

    /// <summary>The path of the request line; the rest of the request is read and passed over.</summary>
    private static async Task<string> PathAsync(NetworkStream stream, CancellationToken cancel)
    {
        var request = new byte[MaxRequestLength];
        var length = 0;
        for (int read; length < request.Length && (read = await stream.ReadAsync(request.AsMemory(length), cancel)) > 0;)
        {
            length += read;
            if (request.AsSpan(0, length).IndexOf("\r\n\r\n"u8) >= 0)
            {
                break;
            }
        }

        var line = Encoding.ASCII.GetString(request, 0, length).Split('\r')[0].Split(' ');
        return line.Length < 2 ? "" : line[1].Split('?')[0];
    }

    private async Task<(string Status, string Text)> ReadyAsync(CancellationToken cancel)
    {
        var report = await health.CheckHealthAsync(cancel);
        var lines = string.Concat(report.Entries.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => $"{entry.Key}: {entry.Value.Status} {entry.Value.Description}\n"));
        return (report.Status == HealthStatus.Healthy ? "200 OK" : "503 Service Unavailable", lines);
    }
}
