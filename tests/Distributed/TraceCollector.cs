using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using ClipSae.Servers;

namespace ClipSae.Distributed;

/// <summary>Takes spans, metrics and logs as an OpenTelemetry collector does: OTLP over HTTP in protobuf.</summary>
internal sealed class TraceCollector : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly ConcurrentBag<Span> _spans = [];
    private readonly ConcurrentBag<LogLine> _logs = [];
    private readonly ConcurrentDictionary<string, string> _metrics = new(StringComparer.Ordinal);

    public TraceCollector()
    {
        Endpoint = $"http://127.0.0.1:{FreePort.Next()}";
        _listener.Prefixes.Add(Endpoint + "/");
        _listener.Start();
        _ = ServeAsync();
    }

    /// <param name="Trace">Trace id, hexadecimal.</param>
    /// <param name="Id">Span id, hexadecimal.</param>
    /// <param name="Parent">Span id of the parent; empty for a root.</param>
    /// <param name="Name">Name of the span.</param>
    /// <param name="Service">Name of the process's service.</param>
    /// <param name="Start">Nanoseconds since 1970.</param>
    /// <param name="End">Nanoseconds since 1970.</param>
    /// <param name="Attributes">Attributes as text; lists joined by commas.</param>
    internal sealed record Span(
        string Trace,
        string Id,
        string Parent,
        string Name,
        string Service,
        ulong Start,
        ulong End,
        IReadOnlyDictionary<string, string> Attributes
    );

    /// <param name="Trace">Id of the trace that it was written in, hexadecimal; empty outside of any.</param>
    /// <param name="Span">Id of the span that it was written in.</param>
    /// <param name="Service">Name of the process's service.</param>
    /// <param name="Text">The line.</param>
    internal sealed record LogLine(string Trace, string Span, string Service, string Text);

    public string Endpoint { get; }

    public IReadOnlyList<Span> Spans => [.. _spans];

    public IReadOnlyList<LogLine> Logs => [.. _logs];

    /// <summary>Units of the metrics that came, by name.</summary>
    public IReadOnlyDictionary<string, string> Metrics => _metrics;

    public void Dispose() => _listener.Close();

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            try
            {
                _ = AnswerAsync(await _listener.GetContextAsync());
            }
            catch (Exception error) when (error is HttpListenerException or ObjectDisposedException)
            {
                // The end of the tests.
            }
        }
    }

    /// <summary>Takes one request; others come meanwhile, since a process that is killed may leave its own half-sent.</summary>
    private async Task AnswerAsync(HttpListenerContext context)
    {
        try
        {
            using var body = new MemoryStream();
            await context.Request.InputStream.CopyToAsync(body);
            if (body.Length == context.Request.ContentLength64)
            {
                Read(context.Request.Url!.AbsolutePath, new ProtobufFields(body.ToArray()));
            }

            context.Response.Close();
        }
        catch (Exception error) when (error is HttpListenerException or ObjectDisposedException or IOException)
        {
            // A process that was killed, or the end of the tests.
        }
    }

    // Export…ServiceRequest.resource_… = 1, Resource… .resource = 1 and .scope_… = 2, Scope… .spans, .metrics or .log_records = 2.
    private void Read(string path, ProtobufFields request)
    {
        foreach (var resource in request.Messages(1))
        {
            var service = Attributes(resource.Messages(1).FirstOrDefault(), 1).GetValueOrDefault("service.name", "");
            foreach (var item in resource.Messages(2).SelectMany(scope => scope.Messages(2)))
            {
                if (path == "/v1/traces")
                {
                    _spans.Add(
                        new Span(
                            item.Hex(1),
                            item.Hex(2),
                            item.Hex(4),
                            item.Text(5),
                            service,
                            item.Number(7),
                            item.Number(8),
                            Attributes(item, 9)
                        )
                    );
                }
                else if (path == "/v1/metrics")
                {
                    _metrics[item.Text(1)] = item.Text(3);
                }
                else if (path == "/v1/logs")
                {
                    _logs.Add(new LogLine(item.Hex(9), item.Hex(10), service, Value(item.Messages(5).FirstOrDefault())));
                }
            }
        }
    }

    private static Dictionary<string, string> Attributes(ProtobufFields? owner, int field) =>
        (owner?.Messages(field) ?? [])
            .GroupBy(pair => pair.Text(1), StringComparer.Ordinal)
            .ToDictionary(pairs => pairs.Key, pairs => Value(pairs.First().Messages(2).FirstOrDefault()), StringComparer.Ordinal);

    // AnyValue: string 1, bool 2, int 3, double 4, array 5 of values 1.
    private static string Value(ProtobufFields? value) =>
        value switch
        {
            null => "",
            _ when value.Has(1) => value.Text(1),
            _ when value.Has(2) => value.Number(2) == 1 ? "true" : "false",
            _ when value.Has(3) => value.Number(3).ToString(CultureInfo.InvariantCulture),
            _ when value.Has(4) => BitConverter.UInt64BitsToDouble(value.Number(4)).ToString(CultureInfo.InvariantCulture),
            _ when value.Has(5) => string.Join(',', value.Messages(5).SelectMany(array => array.Messages(1)).Select(Value)),
            _ => "",
        };
}
