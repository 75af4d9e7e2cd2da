using System.Net;
using ClipSae.Hosting.Health;
using ClipSae.Hosting.Service;
using ClipSae.Web.Security;
using ClipSae.Web.Shell;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace ClipSae.Web;

/// <summary>
/// Serves pages about the runs of a runtime. It loads nothing from elsewhere, and writes nothing unless changes are allowed.
/// </summary>
public sealed class WebServer : IAsyncDisposable
{
    private const long MaxRequest = 16 << 20;
    private const int Connections = 256;
    private readonly WebApplication _application;

    private readonly IAsyncDisposable _background;

    private WebServer(WebApplication application, IAsyncDisposable background, Uri address, Uri open) =>
        (_application, _background, Address, Open) = (application, background, address, open);

    /// <summary>Where it listens.</summary>
    public Uri Address { get; }

    /// <summary>What to open in a browser: the address, with the token where one is needed.</summary>
    public Uri Open { get; }

    /// <summary>Listens, and returns once it does.</summary>
    /// <exception cref="UserErrorException">An option is impossible, or the address cannot be had.</exception>
    public static async Task<WebServer> StartAsync(
        ClipSaeRuntime runtime,
        WebOptions options,
        string dataFolder,
        TimeProvider time,
        CancellationToken cancel = default
    )
    {
        options.Validate();
        var guard = new AccessGuard(options);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder
            .WebHost.UseKestrelCore()
            .ConfigureKestrel(kestrel =>
            {
                kestrel.AddServerHeader = false;
                kestrel.Limits.MaxRequestBodySize = MaxRequest;
                kestrel.Limits.MaxConcurrentConnections = Connections;
                kestrel.Listen(options.Address, options.Port);
            });
        builder.Services.AddRoutingCore();
        RequestLogging.AddProblems(builder.Services, runtime.Services.GetServices<ILoggerProvider>());
        builder.Services.Configure<FormOptions>(forms => forms.MultipartBodyLengthLimit = MaxRequest);
        var application = builder.Build();
        var shell = new PageShell(options.AllowChanges, guard.FormSecret, dataFolder);
        var health = runtime.Services.GetService<HealthCheckService>();
        application.Use(next =>
            context => HealthProbes.Asks(context.Request) ? HealthProbes.AnswerAsync(context, health, saysWhy: false) : next(context)
        );
        application.Use(next => context => guard.InvokeAsync(context, next));
        application.Use(next => context => PageErrors.GuardAsync(context, next, shell));
        application.UseRouting();
        var background = Endpoints.Map(application, runtime, shell, time);
        try
        {
            await application.StartAsync(cancel);
        }
        catch (IOException error) when (error.InnerException is AddressInUseException)
        {
            await application.DisposeAsync();
            throw new UserErrorException(
                $"port {options.Port} of {options.Address} is in use: choose another with --port, or leave it out for a free one",
                error
            );
        }
        catch (Exception error) when (error is System.Net.Sockets.SocketException or IOException)
        {
            await application.DisposeAsync();
            throw new UserErrorException($"cannot listen on {options.Address} port {options.Port}: {error.Message}", error);
        }

        var bound = new Uri(application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        var address = new UriBuilder(bound) { Host = Named(options) }.Uri;
        return new WebServer(
            application,
            background,
            address,
            guard.Token is { } token ? new UriBuilder(address) { Query = "token=" + token }.Uri : address
        );
    }

    public async ValueTask DisposeAsync()
    {
        // Pages that follow a run keep their connection open: nothing is gained by waiting for them.
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _application.StopAsync(now.Token);
        await _application.DisposeAsync();
        await _background.DisposeAsync();
    }

    private static string Named(WebOptions options) =>
        options.HostNames.Count > 0 ? options.HostNames[0]
        : options.Address.Equals(IPAddress.Any) || options.Address.Equals(IPAddress.IPv6Any) ? "127.0.0.1"
        : options.Address.ToString();
}
