using System.Diagnostics;
using MassTransit;
using MassTransit.Logging;
using OpenTelemetry;

namespace ClipSae.Hosting.Bus;

/// <summary>
/// Reports the progress of units to whoever watches, at other processes. It is shown and forgotten: what cannot be sent is dropped.
/// </summary>
internal sealed class BusProgress(IBus bus) : IProgress<UnitProgress>
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);
    private Task _last = Task.CompletedTask;

    public void Report(UnitProgress value)
    {
        // One at a time: a broker that is away must not gather a queue of old news.
        if (_last.IsCompleted)
        {
            _last = SendAsync(value);
        }
    }

    private async Task SendAsync(UnitProgress value)
    {
        // Hundreds of these a unit would hide the spans that say something. A parent that was not sampled keeps those who hear from
        // beginning a trace of their own for each.
        var unit = Activity.Current?.Context
            ?? new ActivityContext(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.None);
        var parent = $"00-{unit.TraceId}-{unit.SpanId}-00";
        using var untraced = SuppressInstrumentationScope.Begin();
        using var limit = new CancellationTokenSource(Timeout);
        try
        {
            await bus.Publish(
                value,
                publish =>
                {
                    publish.TimeToLive = Timeout;
                    publish.Headers.Set(DiagnosticHeaders.ActivityId, parent);
                },
                limit.Token
            );
        }
        catch (Exception)
        {
            // No one is informed that no one was informed.
        }
    }
}
