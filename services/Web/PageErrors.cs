using ClipSae.Pages;
using ClipSae.Web.Shell;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ClipSae.Web;

/// <summary>Turns every failure into a page with one line.</summary>
internal static class PageErrors
{
    public static async Task GuardAsync(HttpContext context, RequestDelegate next, PageShell shell)
    {
        try
        {
            await next(context);
            if (context.Response is { StatusCode: StatusCodes.Status404NotFound, HasStarted: false })
            {
                await WriteAsync(context, shell, StatusCodes.Status404NotFound, "There is no such page.");
            }
        }
        catch (Exception error) when (!context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            var (status, line) = error switch
            {
                MissingPageException => (StatusCodes.Status404NotFound, error.Message),
                UserErrorException => (StatusCodes.Status409Conflict, error.Message),
                BadHttpRequestException bad => (bad.StatusCode, bad.Message),
                _ => (
                    StatusCodes.Status500InternalServerError,
                    $"{error.GetType().Name}: {error.Message.ReplaceLineEndings(" ")} (a defect; -v logs where)"
                ),
            };
            if (status == StatusCodes.Status500InternalServerError)
            {
                context
                    .RequestServices.GetRequiredService<ILoggerFactory>()
                    .CreateLogger("ui")
                    .LogError(error, "{Path} failed", context.Request.Path);
            }

            await WriteAsync(context, shell, status, line);
        }
    }

    private static Task WriteAsync(HttpContext context, PageShell shell, int status, string line)
    {
        // The headers that the guard has set stay.
        context.Response.StatusCode = status;
        context.Response.ContentType = Endpoints.HtmlType;
        return context.Response.WriteAsync(
            shell.Render(
                "Problem",
                "",
                Html.Of(
                    $"<h1>{(status == StatusCodes.Status404NotFound ? "Not found" : "This did not work")}</h1>"
                        + $"<p class=\"problem\">{line}</p><p><a href=\"/\">All runs</a></p>"
                )
            ),
            context.RequestAborted
        );
    }
}
