using System.Text;
using ClipSae.Artifacts;
using ClipSae.Pages;
using Microsoft.AspNetCore.Http;

namespace ClipSae.Web.Shell;

/// <summary>
/// Style sheets, modules and pictures of the pages: resources of this assembly, so that there is nothing to build or to install.
/// </summary>
internal static class Assets
{
    private static readonly Dictionary<string, (byte[] Content, string Type, string Tag)> Files = Read();

    public static async Task WriteAsync(HttpContext context)
    {
        if (!Files.TryGetValue((string)context.Request.RouteValues["name"]!, out var file))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        context.Response.Headers.CacheControl = "no-cache";
        context.Response.Headers.ETag = file.Tag;
        if (context.Request.Headers.IfNoneMatch == file.Tag)
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        context.Response.ContentType = file.Type;
        context.Response.ContentLength = file.Content.Length;
        await context.Response.Body.WriteAsync(file.Content, context.RequestAborted);
    }

    /// <summary>A text among them.</summary>
    public static string Text(string name) => Encoding.UTF8.GetString(Files[name].Content);

    private static Dictionary<string, (byte[], string, string)> Read()
    {
        const string Folder = "Assets.";
        var files = new Dictionary<string, (byte[], string, string)>(StringComparer.Ordinal)
        {
            ["palette.css"] = File("palette.css", Encoding.UTF8.GetBytes(Stylesheet.Palette + Stylesheet.Charts)),
        };
        var assembly = typeof(Assets).Assembly;
        foreach (var resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Folder, StringComparison.Ordinal)))
        {
            using var stream = assembly.GetManifestResourceStream(resource)!;
            using var content = new MemoryStream();
            stream.CopyTo(content);
            files[resource[Folder.Length..]] = File(resource, content.ToArray());
        }

        return files;
    }

    private static (byte[], string, string) File(string name, byte[] content) =>
        (
            content,
            Path.GetExtension(name) switch
            {
                ".css" => "text/css; charset=utf-8",
                ".js" => "text/javascript; charset=utf-8",
                _ => "image/svg+xml",
            },
            $"\"{Digest.OfBytes(content)[^16..]}\""
        );
}
