using ClipSae.Hosting.Service;
using Microsoft.Extensions.DependencyInjection;

namespace ClipSae.Reporting;

/// <summary>Adds the service to a process.</summary>
public static class ReportingRegistration
{
    /// <summary>Adds the report stage.</summary>
    public static IServiceCollection AddReporting(this IServiceCollection services) => services.AddStage<ReportStage>();
}
