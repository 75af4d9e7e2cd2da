using ClipSae.Hosting.Service;
using ClipSae.Tensors;
using Microsoft.Extensions.DependencyInjection;

namespace ClipSae.AttackCuration;

/// <summary>Adds the service to a process.</summary>
public static class AttackCurationRegistration
{
    /// <summary>Adds its stage.</summary>
    public static IServiceCollection AddAttackCuration(this IServiceCollection services) =>
        services.AddStage<AttackCurationStage>(ComputeProbe.Instance);
}
