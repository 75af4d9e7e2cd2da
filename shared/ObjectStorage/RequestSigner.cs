using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace ClipSae.ObjectStorage;

/// <summary>
/// Signs S3 requests: AWS Signature Version 4 in the Authorization header. What is signed of the body is its SHA-256 or its
/// <c>Content-MD5</c>; either way the server checks what arrives.
/// </summary>
/// <remarks>Source: Amazon S3 API Reference, "Authenticating Requests: Using the Authorization Header".</remarks>
internal sealed class RequestSigner(string accessKey, string secretKey, string region, TimeProvider time)
{
    /// <summary>SHA-256 of nothing, in hexadecimal.</summary>
    public const string EmptyBody = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    /// <summary>In place of a body's digest where the request has a <c>Content-MD5</c>, which is signed then.</summary>
    public const string BodyByMd5 = "UNSIGNED-PAYLOAD";

    private const string Algorithm = "AWS4-HMAC-SHA256";

    /// <summary>Adds date, body digest and signature.</summary>
    /// <param name="request">The request with its final address; its query must be in canonical order and encoding.</param>
    /// <param name="bodyDigest">SHA-256 of the body in lower-case hexadecimal, or <see cref="BodyByMd5"/>.</param>
    public void Sign(HttpRequestMessage request, string bodyDigest)
    {
        var now = time.GetUtcNow();
        var stamp = now.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var day = stamp[..8];
        var uri = request.RequestUri!;
        var host = uri.IsDefaultPort ? uri.Host : $"{uri.Host}:{uri.Port}";
        var md5 = request.Content?.Headers.ContentMD5 is { } bytes ? $"content-md5:{Convert.ToBase64String(bytes)}\n" : "";
        var signed = (md5.Length > 0 ? "content-md5;" : "") + "host;x-amz-content-sha256;x-amz-date";
        var canonical = string.Join(
            '\n',
            request.Method.Method,
            uri.AbsolutePath,
            uri.Query.TrimStart('?'),
            $"{md5}host:{host}",
            $"x-amz-content-sha256:{bodyDigest}",
            $"x-amz-date:{stamp}",
            "",
            signed,
            bodyDigest
        );
        var scope = $"{day}/{region}/s3/aws4_request";
        var toSign = string.Join(
            '\n',
            Algorithm,
            stamp,
            scope,
            Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))
        );
        var key = Keyed(Keyed(Keyed(Keyed(Encoding.UTF8.GetBytes("AWS4" + secretKey), day), region), "s3"), "aws4_request");
        request.Headers.TryAddWithoutValidation("x-amz-content-sha256", bodyDigest);
        request.Headers.TryAddWithoutValidation("x-amz-date", stamp);
        request.Headers.TryAddWithoutValidation(
            "Authorization",
            $"{Algorithm} Credential={accessKey}/{scope},SignedHeaders={signed},Signature={Convert.ToHexStringLower(Keyed(key, toSign))}"
        );
    }

    private static byte[] Keyed(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));
}
