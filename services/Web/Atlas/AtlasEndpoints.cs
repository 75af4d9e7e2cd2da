using System.Globalization;
using ClipSae.Hosting;
using ClipSae.Pages;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ClipSae.Web;

/// <summary>The addresses of the atlas of features and of "Try it".</summary>
internal static class AtlasEndpoints
{
    private const int PictureSide = 160;

    // Pictures and patches of a digest never change; the browser may keep them, and nobody between.
    private const string Kept = "private, max-age=3600";

    public static IAsyncDisposable Map(IEndpointRouteBuilder routes, ClipSaeRuntime runtime, RunReader reader, PageShell shell, TimeProvider time)
    {
        var shelf = new AtlasShelf(runtime, reader);
        var indexes = new FeatureIndexes(runtime, shelf, time, routes.ServiceProvider.GetRequiredService<ILoggerFactory>().CreateLogger("ui"));
        var (atlas, feature) = (new AtlasPage(shelf, indexes, shell), new FeaturePage(shelf, indexes, shell));
        const string Volume = "/runs/{run}/atlas/{unit}";
        routes.MapGet(Volume, async context => await Endpoints.WriteAsync(context, await atlas.RenderAsync(
            Endpoints.Run(context), Unit(context), new AtlasPage.Query(Endpoints.Query(context, "q"), Endpoints.Query(context, "order"), Endpoints.Query(context, "salient").Length > 0, Endpoints.Number(context, "page")), context.RequestAborted)));
        routes.MapGet(Volume + "/{feature}", async context => await Endpoints.WriteAsync(context, await feature.RenderAsync(Endpoints.Run(context), Unit(context), Feature(context), context.RequestAborted)));
        routes.MapGet(Volume + "/{feature}/patches", context => PatchesAsync(context, shelf));
        routes.MapGet("/runs/{run}/picture", async context =>
        {
            var pictures = await shelf.PicturesAsync(await reader.ReadAsync(Endpoints.Run(context), context.RequestAborted), context.RequestAborted);
            var id = Endpoints.Query(context, "id");
            var (type, content) = pictures.Read(id) is { } encoded ? Thumbnail.Encode(encoded, PictureSide) ?? throw new MissingPageException($"The picture {id} cannot be decoded.") : throw new MissingPageException($"There is no picture {id}.");
            await WriteAsync(context, type, content);
        });
        routes.MapPost(Volume + "/index", async context =>
        {
            indexes.Start(await shelf.VolumeAsync(Endpoints.Run(context), Unit(context), context.RequestAborted));
            Endpoints.SeeOther(context, AtlasPage.Path(Endpoints.Run(context), Unit(context)));
        });
        var trying = new TryPage(runtime, reader, shelf, shell);
        routes.MapMethods("/runs/{run}/try", ["GET", "POST"], async context => await Endpoints.WriteAsync(context, await trying.RenderAsync(context, Endpoints.Run(context))));
        return new Background(indexes, trying);
    }

    /// <summary>What ends with the server.</summary>
    private sealed class Background(FeatureIndexes indexes, TryPage trying) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await indexes.DisposeAsync();
            trying.Dispose();
        }
    }

    private static async Task PatchesAsync(HttpContext context, AtlasShelf shelf)
    {
        var volume = await shelf.VolumeAsync(Endpoints.Run(context), Unit(context), context.RequestAborted);
        var feature = volume.Feature(Feature(context)) ?? throw new MissingPageException("There is no such feature.");
        var activations = volume.HasPatches ? await shelf.ActivationsAsync(volume, context.RequestAborted) : null;
        var (side, values) = activations?.Patches(volume.Autoencoder, feature.Feature, Endpoints.Query(context, "id")) ?? throw new MissingPageException("The activations of this picture's patches were not kept.");
        await WriteAsync(context, "image/png", PatchOverlay.Draw(side, values, feature.TopImages.Count > 0 ? feature.TopImages.Max(image => image.Activation) : values.Where(float.IsFinite).DefaultIfEmpty().Max()));
    }

    private static async Task WriteAsync(HttpContext context, string type, ReadOnlyMemory<byte> content)
    {
        context.Response.Headers.CacheControl = Kept;
        context.Response.ContentType = type;
        context.Response.ContentLength = content.Length;
        await context.Response.Body.WriteAsync(content, context.RequestAborted);
    }

    private static string Unit(HttpContext context) => (string)context.Request.RouteValues["unit"]!;

    private static int Feature(HttpContext context) =>
        int.TryParse((string)context.Request.RouteValues["feature"]!, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new MissingPageException("Features are numbered from 0.");
}
