using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace ClipSae.TestKit.Logs;

/// <summary>What is logged about requests and the server; checks themselves log that one is unhealthy.</summary>
public sealed class RequestLog : ILoggerProvider
{
    public ConcurrentQueue<string> Lines { get; } = [];

    public ILogger CreateLogger(string categoryName) => new Category(this, categoryName);

    public void Dispose() { }

    private sealed class Category(RequestLog log, string name) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            if (
                name.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal)
                || name.StartsWith("Microsoft.Hosting", StringComparison.Ordinal)
            )
            {
                log.Lines.Enqueue($"{name}: {formatter(state, exception)}");
            }
        }
    }
}
