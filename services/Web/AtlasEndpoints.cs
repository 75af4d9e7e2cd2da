using System.Globalization;
using ClipSae.Hosting.Service;
using ClipSae.Pages;
using ClipSae.Results;
using ClipSae.Results.Autoencoders;
using ClipSae.Web.Atlas;
using ClipSae.Web.Models;
using ClipSae.Web.Records;
using ClipSae.Web.Shell;
using ClipSae.Web.Trying;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ClipSae.Web;

/// <summary>The addresses of the atlas of features and of "Try it".</summary>
internal static class AtlasEndpoints
{
    private const int ImageSide = 160;

    // Pictures and patches of a digest never change; the browser may keep them, and nobody between.
    private const string Kept = "private, max-age=3600";

    public static IAsyncDisposable Map(
        IEndpointRouteBuilder routes,
        ClipSaeRuntime runtime,
        RunReader reader,
        PageShell shell,
        TimeProvider time
    )
    {
        var shelf = new AtlasShelf(runtime, reader, time);
        var log = routes.ServiceProvider.GetRequiredService<ILoggerFactory>().CreateLogger("ui");
        var (turn, room) = (new SemaphoreSlim(1, 1), new ModelRoom(runtime));
        var indexes = new FeatureIndexes(new KeptResults<FeatureIndex>(runtime, ResultFormats.FeatureIndex, turn, time, log), shelf);
        var effects = new FeatureEffects(
            new KeptResults<FeatureEffect>(runtime, ResultFormats.FeatureEffect, turn, time, log),
            runtime,
            shelf,
            room
        );
        var movements = new FeatureMovements(
            new KeptResults<FeatureMovement>(runtime, ResultFormats.FeatureMovement, turn, time, log),
            runtime,
            shelf,
            room
        );
        var changes = new ChangesPage(shelf, movements, shell);
        var (atlas, feature) = (
            new AtlasPage(indexes, new ImageSearch(room), shell),
            new FeaturePage(indexes, new EffectSection(effects, shell), shell)
        );
        const string Volume = "/runs/{run}/atlas/{unit}";
        routes.MapGet(Volume, async context =>
            await Endpoints.WriteAsync(
                context,
                await atlas.RenderAsync(
                    Endpoints.Run(context),
                    Unit(context),
                    new AtlasPage.Query(
                        Endpoints.Query(context, "q"),
                        Endpoints.Query(context, "order"),
                        Endpoints.Query(context, "salient").Length > 0,
                        Endpoints.Number(context, "page")
                    ),
                    context.RequestAborted
                )
            )
        );
        routes.MapPost(Volume + "/picture", async context =>
        {
            var form = await context.Request.ReadFormAsync(context.RequestAborted);
            var picture = form.Files.GetFile("picture") is { Length: > 0 } file
                ? await UploadedImage.ReadAsync(file, context.RequestAborted)
                : null;
            await Endpoints.WriteAsync(
                context,
                await atlas.RenderAsync(Endpoints.Run(context), Unit(context), picture, context.RequestAborted)
            );
        });
        routes.MapGet(Volume + "/{feature}", async context =>
            await Endpoints.WriteAsync(
                context,
                await feature.RenderAsync(Endpoints.Run(context), Unit(context), Feature(context), context.RequestAborted)
            )
        );
        routes.MapGet(Volume + "/before-after", async context =>
            await Endpoints.WriteAsync(context, await changes.RenderAsync(Endpoints.Run(context), Unit(context), context.RequestAborted))
        );
        routes.MapGet(Volume + "/{feature}/patches", context => PatchesAsync(context, shelf));
        routes.MapGet("/runs/{run}/picture", async context =>
        {
            var pictures = await shelf.ImagesAsync(
                await reader.ReadAsync(Endpoints.Run(context), context.RequestAborted),
                context.RequestAborted
            );
            var id = Endpoints.Query(context, "id");
            var (type, content) = await pictures.ReadAsync(id, context.RequestAborted) is { } encoded
                ? Thumbnail.Encode(encoded, ImageSide) ?? throw new MissingPageException($"The picture {id} cannot be decoded.")
                : throw new MissingPageException($"There is no picture {id}.");
            await WriteAsync(context, type, content);
        });
        OnDemand(routes, Volume + "/index", OfVolume, indexes.Start, indexes.StopAsync);
        OnDemand(routes, Volume + "/before-after", OfVolume, movements.Start, movements.StopAsync);
        OnDemand(
            routes,
            Volume + "/{feature}/effect",
            context => FeatureAsync(context, shelf),
            asked => effects.Start(asked.Volume, asked.Feature),
            asked => effects.StopAsync(asked.Volume, asked.Feature.Feature)
        );
        var trying = new TryPage(runtime, reader, shelf, room, shell);
        routes.MapMethods("/runs/{run}/try", ["GET", "POST"], async context =>
            await Endpoints.WriteAsync(context, await trying.RenderAsync(context, Endpoints.Run(context)))
        );
        Task<AtlasVolume> OfVolume(HttpContext context) => shelf.VolumeAsync(Endpoints.Run(context), Unit(context), context.RequestAborted);
        return new Background([indexes, effects, movements], room, turn);
    }

    /// <summary>What ends with the server: first what computes, then what it computes with.</summary>
    private sealed class Background(IReadOnlyList<IAsyncDisposable> computing, ModelRoom room, SemaphoreSlim turn) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            foreach (var one in computing)
            {
                await one.DisposeAsync();
            }

            room.Dispose();
            turn.Dispose();
        }
    }

    /// <summary>
    /// A result that is computed when it is asked for, and stopped below that address; both lead back to the page above it.
    /// </summary>
    private static void OnDemand<T>(
        IEndpointRouteBuilder routes,
        string pattern,
        Func<HttpContext, Task<T>> read,
        Action<T> start,
        Func<T, Task> stop
    )
    {
        routes.MapPost(pattern, async context =>
        {
            start(await read(context));
            Endpoints.SeeOther(context, Above(context));
        });
        routes.MapPost(pattern + "/stop", async context =>
        {
            await stop(await read(context));
            Endpoints.SeeOther(context, Above(context));
        });

        static string Above(HttpContext context)
        {
            var volume = AtlasPage.Path(Endpoints.Run(context), Unit(context));
            return context.Request.RouteValues.ContainsKey("feature") ? $"{volume}/{Feature(context)}#effect"
                : context.Request.Path.Value!.Contains("/before-after", StringComparison.Ordinal) ? volume + "/before-after"
                : volume;
        }
    }

    private static async Task<(AtlasVolume Volume, FeatureStatistics Feature)> FeatureAsync(HttpContext context, AtlasShelf shelf)
    {
        var volume = await shelf.VolumeAsync(Endpoints.Run(context), Unit(context), context.RequestAborted);
        return (volume, volume.Feature(Feature(context)) ?? throw new MissingPageException("There is no such feature, or it never fires."));
    }

    private static async Task PatchesAsync(HttpContext context, AtlasShelf shelf)
    {
        var (volume, feature) = await FeatureAsync(context, shelf);
        var activations = volume.HasPatches ? await shelf.ActivationsAsync(volume, context.RequestAborted) : null;
        var (side, values) = activations?.Patches(volume.Autoencoder, feature.Feature, Endpoints.Query(context, "id"))
            ?? throw new MissingPageException("The activations of this picture's patches were not kept.");
        await WriteAsync(
            context,
            "image/png",
            PatchOverlay.Draw(
                side,
                values,
                feature.TopImages.Count > 0
                    ? feature.TopImages.Max(image => image.Activation)
                    : values.Where(float.IsFinite).DefaultIfEmpty().Max()
            )
        );
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
        int.TryParse((string)context.Request.RouteValues["feature"]!, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new MissingPageException("Features are numbered from 0.");
}
