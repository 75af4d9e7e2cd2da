using System.Net;
using ClipSae.Hosting.Service;
using ClipSae.TestKit.Pipelines;
using ClipSae.Web.Security;

namespace ClipSae.Web.Tests;

/// <summary>The pages over a data folder of their own, with a pipeline of three small stages.</summary>
internal sealed class ServedRuns : IAsyncDisposable
{
    private ServedRuns(FakePipeline pipeline, EmbeddedRuntime runtime, WebServer server)
    {
        (Pipeline, Runtime, Server) = (pipeline, runtime, server);
        Http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false })
        {
            BaseAddress = new UriBuilder(server.Address) { Host = "127.0.0.1" }.Uri,
        };
    }

    public FakePipeline Pipeline { get; }

    public EmbeddedRuntime Runtime { get; }

    public WebServer Server { get; }

    /// <summary>Follows no redirect and keeps no cookie.</summary>
    public HttpClient Http { get; }

    public static async Task<ServedRuns> StartAsync(WebOptions? options = null)
    {
        var pipeline = new FakePipeline();
        var runtime = pipeline.Start();
        return new ServedRuns(
            pipeline,
            runtime,
            await WebServer.StartAsync(runtime, options ?? new WebOptions(), pipeline.Folder, TimeProvider.System)
        );
    }

    /// <summary>Runs the pipeline to its end.</summary>
    public async Task<string> RunAsync(RunPlan? plan = null) => (await FakePipeline.RunAsync(Runtime, plan)).Start!.Run;

    /// <summary>A run that is told by its events alone.</summary>
    public async Task<string> TellAsync(string run, params RunEvent[] events)
    {
        (await Runtime.Events.TryAppendAsync(run, 0, events)).ShouldBeTrue();
        return run;
    }

    public async Task<string> PageAsync(string path, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var response = await Http.GetAsync(path);
        var page = await response.Content.ReadAsStringAsync();
        response.StatusCode.ShouldBe(expected, page);
        return page;
    }

    /// <summary>Sends a form as the pages do.</summary>
    public async Task<HttpResponseMessage> PostAsync(string path, string? secret = null, Action<HttpRequestMessage>? change = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new FormUrlEncodedContent(secret is null ? [] : [KeyValuePair.Create("csrf", secret)]),
        };
        change?.Invoke(request);
        return await Http.SendAsync(request);
    }

    /// <summary>The secret that forms of a page carry.</summary>
    public async Task<string> SecretAsync()
    {
        const string Before = "<meta name=\"csrf\" content=\"";
        var page = await PageAsync("/");
        var start = page.IndexOf(Before, StringComparison.Ordinal) + Before.Length;
        return page[start..page.IndexOf('"', start)];
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Server.DisposeAsync();
        await Runtime.DisposeAsync();
        Pipeline.Dispose();
    }
}
