using ClipSae.Hosting.Worker;
using ClipSae.Pipeline.Execution;
using ClipSae.Pipeline.Stages;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace ClipSae.Hosting.Service;

/// <summary>Spans, metrics and logs leave the process only where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> says where to.</summary>
public static class TelemetryRegistration
{
    public const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string ServiceVariable = "OTEL_SERVICE_NAME";
    private const string MassTransit = "MassTransit";

    public static IServiceCollection AddClipSaeTelemetry(this IServiceCollection services)
    {
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(EndpointVariable)))
        {
            return services;
        }

        services
            .AddOpenTelemetry()
            .ConfigureResource(resource =>
                resource.AddService(
                    Environment.GetEnvironmentVariable(ServiceVariable) is { Length: > 0 } named ? named : NameOf(services),
                    serviceVersion: WorkerTraits.Software,
                    serviceInstanceId: StageRunner.Worker
                )
            )
            .WithTracing(tracing => tracing.AddSource(PipelineTelemetry.Name, MassTransit).AddOtlpExporter())
            .WithMetrics(metrics => metrics.AddMeter(PipelineTelemetry.Name, MassTransit).AddOtlpExporter());
        services.AddLogging(logging =>
            logging.AddOpenTelemetry(exported =>
            {
                exported.IncludeFormattedMessage = true;
                exported.AddOtlpExporter();
            })
        );
        return services;
    }

    private static string NameOf(IServiceCollection services) =>
        services.Select(service => service.ImplementationInstance).OfType<ServiceName>().SingleOrDefault()?.Value ?? "clipsae";
}
