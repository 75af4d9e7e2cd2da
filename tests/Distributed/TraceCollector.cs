using System.Collections.Concurrent;
using System.Net;
using ClipSae.Servers;
using Google.Protobuf;

namespace ClipSae.Distributed;

/// <summary>Takes spans as an OpenTelemetry collector does: OTLP over HTTP in protobuf.</summary>
internal sealed class TraceCollector : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly ConcurrentBag<Span> _spans = [];

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
    internal sealed record Span(string Trace, string Id, string Parent, string Name);

    public string Endpoint { get; }

    public IReadOnlyList<Span> Spans => [.. _spans];

    public void Dispose() => _listener.Close();

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            try
            {
                var context = await _listener.GetContextAsync();
                using var body = new MemoryStream();
                await context.Request.InputStream.CopyToAsync(body);
                if (context.Request.Url!.AbsolutePath == "/v1/traces")
                {
                    Read(body.ToArray(), depth: 0);
                }

                context.Response.Close();
            }
            catch (Exception error) when (error is HttpListenerException or ObjectDisposedException or IOException)
            {
                // A process that was killed, or the end of the tests.
            }
        }
    }

    // ExportTraceServiceRequest.resource_spans = 1, ResourceSpans.scope_spans = 2, ScopeSpans.spans = 2.
    private void Read(ReadOnlyMemory<byte> message, int depth)
    {
        var wanted = depth == 0 ? 1 : 2;
        var input = new CodedInputStream(message.ToArray());
        for (uint tag; (tag = input.ReadTag()) != 0;)
        {
            if (WireFormat.GetTagFieldNumber(tag) != wanted)
            {
                input.SkipLastField();
            }
            else if (depth < 2)
            {
                Read(input.ReadBytes().Memory, depth + 1);
            }
            else
            {
                _spans.Add(ReadSpan(input.ReadBytes().ToByteArray()));
            }
        }
    }

    private static Span ReadSpan(byte[] message)
    {
        var fields = new Dictionary<int, byte[]>();
        var input = new CodedInputStream(message);
        for (uint tag; (tag = input.ReadTag()) != 0;)
        {
            if (WireFormat.GetTagFieldNumber(tag) is var field and <= 5 && WireFormat.GetTagWireType(tag) == WireFormat.WireType.LengthDelimited)
            {
                fields[field] = input.ReadBytes().ToByteArray();
            }
            else
            {
                input.SkipLastField();
            }
        }

        string Hex(int field) => Convert.ToHexStringLower(fields.GetValueOrDefault(field, []));
        return new Span(Hex(1), Hex(2), Hex(4), System.Text.Encoding.UTF8.GetString(fields.GetValueOrDefault(5, [])));
    }
}
