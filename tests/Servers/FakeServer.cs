using System.Net;
using System.Text;

namespace ClipSae.Servers;

/// <summary>Takes every write, as servers do that know no conditions, and fails where it is told to.</summary>
public sealed class FakeServer : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Dictionary<string, byte[]> _objects = new(StringComparer.Ordinal);

    public FakeServer()
    {
        Endpoint = $"http://127.0.0.1:{FreePort.Next()}";
        _listener.Prefixes.Add(Endpoint + "/");
        _listener.Start();
        _ = ServeAsync();
    }

    public string Endpoint { get; }

    /// <summary>Whether it knows <c>If-None-Match</c>.</summary>
    public bool HonoursConditions { get; init; }

    /// <summary>An answer of another kind, sent in chunks, without a length; null for those that it gives itself.</summary>
    public Func<HttpListenerRequest, (HttpStatusCode Status, string Body)?> Answers { get; init; } = _ => null;

    /// <summary>Status instead of the answer to the n-th request, from 0, after it was carried out; 0 for the answer itself.</summary>
    public Func<int, int> Fails { get; set; } = _ => 0;

    public int Requests { get; private set; }

    public void Dispose() => _listener.Close();

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception error) when (error is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            await AnswerAsync(context);
            if (Fails(Requests++) is var status and > 0)
            {
                context.Response.StatusCode = status;
            }

            context.Response.Close();
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        var path = context.Request.Url!.AbsolutePath;
        if (Answers(context.Request) is var (status, text))
        {
            await context.Request.InputStream.CopyToAsync(Stream.Null);
            context.Response.StatusCode = (int)status;
            context.Response.SendChunked = true;
            await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(text));
            return;
        }

        if (context.Request.HttpMethod == "PUT")
        {
            using var body = new MemoryStream();
            await context.Request.InputStream.CopyToAsync(body);
            if (HonoursConditions && context.Request.Headers["If-None-Match"] is not null && _objects.ContainsKey(path))
            {
                context.Response.StatusCode = (int)HttpStatusCode.PreconditionFailed;
                return;
            }

            _objects[path] = body.ToArray();
            context.Response.Headers["ETag"] = "\"tag\"";
        }
        else if (_objects.TryGetValue(path, out var stored))
        {
            context.Response.ContentLength64 = stored.Length;
            if (context.Request.HttpMethod == "GET" && Fails(Requests) == 0)
            {
                await context.Response.OutputStream.WriteAsync(stored);
            }
        }
        else if (context.Request.HttpMethod is "GET" or "HEAD" && path.Trim('/').Contains('/', StringComparison.Ordinal))
        {
            context.Response.StatusCode = (int)HttpStatusCode.NotFound;
        }
    }
}
