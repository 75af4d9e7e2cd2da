using System.Net;
using ClipSae.Hosting.Settings;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ClipSae.Hosting.Health;

/// <summary>Listens for the probes of a service: <see cref="HealthProbes"/>.</summary>
internal sealed class HealthEndpoint(ClipSaeOptions options, HealthCheckService health, IEnumerable<ILoggerProvider> logs)
    : IHostedService,
        IAsyncDisposable
{
    private const int Connections = 64;
    private WebApplication? _application;

    /// <exception cref="UserErrorException">The address is none, or cannot be had.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var address = options.HealthAddress!;
        var listen = Listen(address);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder
            .WebHost.UseKestrelCore()
            .ConfigureKestrel(kestrel =>
            {
                kestrel.AddServerHeader = false;
                kestrel.Limits.MaxRequestBodySize = 0;
                kestrel.Limits.MaxConcurrentConnections = Connections;
                listen(kestrel);
            });

        RequestLogging.AddProblems(builder.Services, logs);
        _application = builder.Build();
        _application.Run(context => HealthProbes.AnswerAsync(context, health, saysWhy: true));
        try
        {
            await _application.StartAsync(cancellationToken);
        }
        catch (Exception error) when (error is IOException or System.Net.Sockets.SocketException)
        {
            throw new UserErrorException($"ClipSae:HealthAddress {address}: cannot listen there ({error.Message.TrimEnd('.')})", error);
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_application is not null)
        {
            // A probe that is being answered is not waited for.
            using var now = new CancellationTokenSource();
            await now.CancelAsync();
            await _application.StopAsync(now.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_application is not null)
        {
            await _application.DisposeAsync();
        }
    }

    // http://127.0.0.1:8081/, http://localhost:8081/, or http://+:8081/ for every address of the machine.
    private static Action<KestrelServerOptions> Listen(string address)
    {
        const string Every = "0.0.0.0";
        var text = address
            .Replace("://+", "://" + Every, StringComparison.Ordinal)
            .Replace("://*", "://" + Every, StringComparison.Ordinal);
        if (
            !Uri.TryCreate(text, UriKind.Absolute, out var uri)
            || uri.Scheme != Uri.UriSchemeHttp
            || !IPAddress.TryParse(uri.Host == "localhost" ? "127.0.0.1" : uri.DnsSafeHost, out var host)
        )
        {
            throw new UserErrorException(
                $"ClipSae:HealthAddress {address}: "
                    + "expected http://ADDRESS:PORT/, for example http://127.0.0.1:8081/, or http://+:8080/ for every address"
            );
        }

        return uri.Host == Every ? kestrel => kestrel.ListenAnyIP(uri.Port) : kestrel => kestrel.Listen(host, uri.Port);
    }
}
