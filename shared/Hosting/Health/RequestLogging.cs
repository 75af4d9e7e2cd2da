using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ClipSae.Hosting.Health;

/// <summary>What a web server of a process logs.</summary>
public static class RequestLogging
{
    /// <summary>
    /// Logs what goes wrong with requests, where the process logs. Not each request: probes and pages that follow a run come every few
    /// seconds.
    /// </summary>
    public static void AddProblems(IServiceCollection services, IEnumerable<ILoggerProvider> logs)
    {
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Warning));
        foreach (var log in logs)
        {
            services.AddSingleton(log);
        }
    }
}
