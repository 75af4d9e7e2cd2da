using ClipSae.Hosting.Bus;
using MassTransit;

namespace ClipSae.Hosting.Worker;

/// <summary>Hears, in a queue of its own, whether the event that a client has sent is refused, and why.</summary>
internal sealed class Refusals : IAsyncDisposable
{
    private HostReceiveEndpointHandle? _endpoint;
    private volatile string? _reason;

    private Refusals() { }

    /// <summary>Where refusals are to be sent.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>Why the event is refused; null while it is not.</summary>
    public string? Reason => _reason;

    public static async Task<Refusals> ListenAsync(IBus bus, TemporaryNames names, CancellationToken cancel)
    {
        var refusals = new Refusals();
        refusals._endpoint = bus.ConnectReceiveEndpoint(new TemporaryEndpointDefinition("refusals"), names, queue =>
        {
            queue.ConfigureConsumeTopology = false; // refusals come to this address alone
            queue.Handler<Fault<DatasetReady>>(context => refusals.HearAsync(context.Message.Exceptions.FirstOrDefault(IsFinal)));
            queue.Handler<ReceiveFault>(context => refusals.HearAsync(context.Message.Exceptions.FirstOrDefault()));
        });
        refusals.Address = (await refusals._endpoint.Ready.WaitAsync(cancel)).InputAddress;
        return refusals;
    }

    public async ValueTask DisposeAsync() => await _endpoint!.StopAsync(CancellationToken.None);

    /// <summary>A coordinator whose store is away reports that too; it tries again by itself.</summary>
    private static bool IsFinal(ExceptionInfo error) =>
        error.ExceptionType == typeof(UserErrorException).FullName || (error.InnerException is { } inner && IsFinal(inner));

    private Task HearAsync(ExceptionInfo? error)
    {
        while (error?.InnerException is { } inner)
        {
            error = inner;
        }

        _reason ??= error?.Message.ReplaceLineEndings(" ");
        return Task.CompletedTask;
    }
}
