using ClipSae.Hosting.Worker;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace ClipSae.Hosting.Health;

/// <summary>Whether this worker takes units.</summary>
internal sealed class WorkerHealth(WorkerFitness fitness) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(fitness.Unfit() is { } reason ? HealthCheckResult.Unhealthy(reason) : HealthCheckResult.Healthy());
}
