using Microsoft.AspNetCore.Http;

namespace ClipSae.Web.Models;

/// <summary>A picture that was sent with a form.</summary>
internal static class UploadedImage
{
    /// <summary>Its bytes; the server has bounded the request.</summary>
    public static async Task<byte[]> ReadAsync(IFormFile file, CancellationToken cancel)
    {
        var content = new byte[file.Length];
        await using var stream = file.OpenReadStream();
        await stream.ReadExactlyAsync(content, cancel);
        return content;
    }
}
