using ClipSae.Pipeline.Stages;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace ClipSae.Hosting.Health;

/// <summary>Whether the store of events and artifacts answers.</summary>
internal sealed class StoreHealth(StageDefaultsStore defaults) : IHealthCheck
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(3);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await defaults.FindAsync("health", cancellationToken).WaitAsync(Timeout, cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            return HealthCheckResult.Unhealthy(error.Message);
        }
    }
}
