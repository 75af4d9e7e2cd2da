using System.Globalization;
using ClipSae.Hosting.Service;
using ClipSae.Pipeline.Runs;
using ClipSae.Web.Records;
using ClipSae.Web.Runs;
using ClipSae.Web.Shell;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ClipSae.Web;

/// <summary>What is served at which address.</summary>
internal static class Endpoints
{
    public const string HtmlType = "text/html; charset=utf-8";

    // Of a report: its own styles and pictures, and nothing that could act.
    private const string ReportPolicy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'";

    /// <returns>What computes in the background.</returns>
    public static IAsyncDisposable Map(IEndpointRouteBuilder routes, ClipSaeRuntime runtime, PageShell shell, TimeProvider time)
    {
        var reader = new RunReader(runtime);
        var background = AtlasEndpoints.Map(routes, runtime, reader, shell, time);
        var workers = new WorkersAtWork(runtime, time, routes.ServiceProvider.GetRequiredService<ILoggerFactory>().CreateLogger("ui"));
        var (runs, run, units, compare, live) = (
            new RunsPage(runtime, reader, shell),
            new RunPage(runtime, reader, workers, shell, time),
            new UnitsPage(reader, shell),
            new ComparePage(runtime, reader, shell),
            new LiveStream(runtime, workers, time)
        );
        Page("/", (context, cancel) => runs.RenderAsync(Query(context, "q"), Query(context, "status"), Number(context, "page"), cancel));
        Page("/compare", (context, cancel) => compare.RenderAsync([.. context.Request.Query["run"].OfType<string>()], cancel));
        Page("/runs/{run}", (context, cancel) => run.RenderAsync(Run(context), cancel));
        Page("/runs/{run}/units", (context, cancel) =>
            units.RenderAsync(
                Run(context),
                new UnitsPage.Query(Query(context, "stage"), Query(context, "status"), Query(context, "q"), Number(context, "page")),
                cancel
            )
        );
        routes.MapGet("/runs/{run}/live", async context =>
        {
            await reader.ReadAsync(Run(context), context.RequestAborted);
            await live.WriteAsync(context, Run(context));
        });
        routes.MapGet("/runs/{run}/report", context => ReportAsync(context, runtime, reader));
        routes.MapGet("/runs/{run}/artifacts/{digest}", context => ArtifactAsync(context, runtime, reader));
        routes.MapGet("/assets/{name}", Assets.WriteAsync);
        if (shell.AllowsChanges)
        {
            var backfill = new BackfillPage(runtime, reader, shell);
            Page("/backfill", (context, cancel) => backfill.RenderAsync([.. context.Request.Query["run"].OfType<string>()], cancel));
            routes.MapPost("/backfill", async context =>
            {
                var form = await context.Request.ReadFormAsync(context.RequestAborted);
                await WriteAsync(
                    context,
                    await backfill.BeginAsync(
                        [.. form["run"].OfType<string>()],
                        form["from"].ToString(),
                        Lines(form),
                        context.RequestAborted
                    )
                );
            });
            routes.MapPost("/runs/{run}/cancel", async context =>
            {
                await reader.ReadAsync(Run(context), context.RequestAborted);
                await runtime.CancelAsync(Run(context), "asked on the page", CancellationToken.None);
                SeeOther(context, $"/runs/{Run(context)}");
            });
            routes.MapPost("/runs/{run}/retry", async context =>
            {
                await reader.ReadAsync(Run(context), context.RequestAborted);
                SeeOther(context, $"/runs/{await runtime.RetryAsync(Run(context), CancellationToken.None)}");
            });
            routes.MapPost("/runs/{run}/replay", async context =>
            {
                await reader.ReadAsync(Run(context), context.RequestAborted);
                var form = await context.Request.ReadFormAsync(context.RequestAborted);
                var from = form["from"].ToString() is { Length: > 0 } stage ? stage : null;
                var replay = await runtime.ReplayAsync(Run(context), from, Lines(form), cancel: CancellationToken.None);
                SeeOther(context, $"/runs/{replay}");
            });
        }

        return background;

        void Page(string pattern, Func<HttpContext, CancellationToken, Task<string>> render) =>
            routes.MapGet(pattern, async context => await WriteAsync(context, await render(context, context.RequestAborted)));
    }

    public static Task WriteAsync(HttpContext context, string page)
    {
        context.Response.ContentType = HtmlType;
        return context.Response.WriteAsync(page, context.RequestAborted);
    }

    /// <summary>The changes that a form asks for, one a line.</summary>
    private static string[] Lines(IFormCollection form) =>
        form["changes"].ToString().Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static async Task ReportAsync(HttpContext context, ClipSaeRuntime runtime, RunReader reader)
    {
        var report = (await reader.ReadAsync(Run(context), context.RequestAborted)).State.Output(
            ParameterSections.Report,
            OutputNames.Report
        ) ?? throw new MissingPageException($"Run {Run(context)} has no report.");
        var path = await runtime.Artifacts.FetchAsync(report, context.RequestAborted);
        context.Response.ContentType = HtmlType;
        context.Response.Headers.ContentSecurityPolicy = ReportPolicy;
        await context.Response.SendFileAsync(path, context.RequestAborted);
    }

    /// <summary>Gives an artifact that this run names, and no other content of the store, always as a file to save.</summary>
    private static async Task ArtifactAsync(HttpContext context, ClipSaeRuntime runtime, RunReader reader)
    {
        var digest = (string)context.Request.RouteValues["digest"]!;
        var artifact = (await reader.ReadAsync(Run(context), context.RequestAborted)).Artifact(digest)
            ?? throw new MissingPageException($"Run {Run(context)} has no artifact {digest}.");
        var path = await runtime.Artifacts.FetchAsync(artifact, context.RequestAborted);
        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = artifact.Length;
        context.Response.Headers.ContentDisposition =
            $"attachment; filename*=UTF-8''{Uri.EscapeDataString(artifact.Name.Split('/', '\\')[^1])}";
        await context.Response.SendFileAsync(path, context.RequestAborted);
    }

    public static void SeeOther(HttpContext context, string address)
    {
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = address;
    }

    public static string Run(HttpContext context) => (string)context.Request.RouteValues["run"]!;

    public static string Query(HttpContext context, string name) => context.Request.Query[name].ToString();

    public static int Number(HttpContext context, string name) =>
        int.TryParse(Query(context, name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 1;
}
