using ClipSae.Hosting.Bus;
using ClipSae.Pipeline.Stages;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using RabbitMQ.Client;

namespace ClipSae.Hosting.Health;

/// <summary>
/// Whether the broker answers now, and has consumers on every queue that this process takes from. The bus notices a connection that is
/// silently cut only by missed heartbeats, and a queue that lost its consumer not at all.
/// </summary>
internal sealed class ConsumersHealth(BrokerTopology topology, IServiceProvider services) : IHealthCheck, IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(3);
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly string[] _queues =
    [
        .. services.GetServices<IStage>().SelectMany(stage => BrokerTopology.QueuesOf(stage.Name)),
        .. services.GetServices<BusEndpoint>().Select(endpoint => endpoint.Queue),
    ];

    private IConnection? _connection;

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            return await LookAsync(cancellationToken).WaitAsync(Timeout, cancellationToken);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            // Whatever it is: the next look begins with a connection of its own.
            _ = ForgetAsync();
            return HealthCheckResult.Unhealthy(
                error is TimeoutException ? $"the broker does not answer within {Timeout.TotalSeconds:0} s" : error.Message.Split('\n')[0]
            );
        }
        finally
        {
            _turn.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await ForgetAsync();
        _turn.Dispose();
    }

    private async Task<HealthCheckResult> LookAsync(CancellationToken cancel)
    {
        _connection ??= await topology.CreateFactory().CreateConnectionAsync("clipsae-health", cancel);
        await using var channel = await _connection.CreateChannelAsync(cancellationToken: cancel);
        foreach (var queue in _queues)
        {
            if (await channel.ConsumerCountAsync(queue, cancel) == 0)
            {
                return HealthCheckResult.Unhealthy($"no consumer on queue {queue}");
            }
        }

        return HealthCheckResult.Healthy($"{_queues.Length} queues");
    }

    private async Task ForgetAsync()
    {
        if (Interlocked.Exchange(ref _connection, null) is not { } connection)
        {
            return;
        }

        // A broker that does not answer does not say farewell either.
        await connection.AbortAsync(Timeout);
        await connection.DisposeAsync();
    }
}
