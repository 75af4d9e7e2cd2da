using ClipSae.Cli.CommandLine;
using ClipSae.Hosting.Worker;
using Microsoft.Extensions.Logging;

namespace ClipSae.Cli.Running;

/// <summary>Writes log records as lines on standard error.</summary>
internal sealed class LineLoggerProvider(Session session) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new LineLogger(session, categoryName);

    public void Dispose() { }

    private sealed class LineLogger(Session session, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= MinLevel;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            // Why a unit fails is the answer of its run, and need not be reported twice.
            if (IsEnabled(logLevel) && (session.Verbose || eventId.Name != StageWorker.UnitFails.Name))
            {
                session.Tell(
                    $"{LevelName(logLevel)}: {category}: "
                        + $"{formatter(state, exception)}{(exception is not null && session.Verbose ? $"\n{exception}" : "")}"
                );
            }
        }

        // The bus and the host report every attempt that they repeat; the run's own events say what came of it.
        private LogLevel MinLevel =>
            category.StartsWith("MassTransit", StringComparison.Ordinal) || category.StartsWith("Microsoft", StringComparison.Ordinal)
                ? (session.Verbose ? LogLevel.Warning : LogLevel.None)
                : (session.Verbose ? LogLevel.Information : LogLevel.Warning);

        private static string LevelName(LogLevel level) =>
            level switch
            {
                LogLevel.Warning => "warning",
                LogLevel.Error or LogLevel.Critical => "error",
                _ => "info",
            };
    }
}
