using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using ClipSae.Artifacts;
using Microsoft.Win32.SafeHandles;

namespace ClipSae.ObjectStorage;

/// <summary>Moves files to and from the store in parallel parts; memory stays at a few buffers whatever the file's length.</summary>
internal sealed class ObjectTransfer(S3ObjectStore store)
{
    private const int Buffer = ObjectOutline.Buffer;

    /// <summary>What must be known of a file before it is uploaded.</summary>
    public Task<ObjectOutline> OutlineAsync(string path, SafeFileHandle file, CancellationToken cancel) =>
        ObjectOutline.ReadAsync(path, file, store.Options.PartBytes, cancel);

    /// <summary>Uploads a file; readers see it whole or not at all.</summary>
    public async Task UploadAsync(SafeFileHandle file, ObjectOutline outline, string key, CancellationToken cancel)
    {
        if (outline.Parts is not { } parts)
        {
            await store.SendAsync(
                $"writing {key}",
                async token =>
                {
                    using var answer = await store.RequestAsync(
                        HttpMethod.Put,
                        key,
                        "",
                        Body(file, 0, outline.Length),
                        outline.Digest,
                        null,
                        token
                    );
                    RequireFound(answer, key);
                    return 0;
                },
                cancel
            );
            return;
        }

        var upload = await BeginAsync(key, cancel);
        try
        {
            var tags = new string[parts.Count];
            await Parallel.ForEachAsync(
                Enumerable.Range(0, tags.Length),
                new ParallelOptions { MaxDegreeOfParallelism = store.Options.PartsAtOnce, CancellationToken = cancel },
                async (part, token) => tags[part] = await UploadPartAsync(file, parts, key, upload, part, token)
            );
            await CompleteAsync(key, outline.Length, upload, tags, cancel);
        }
        catch
        {
            await AbortAsync(key, upload);
            throw;
        }
    }

    /// <summary>Downloads an object of known length into a new file.</summary>
    /// <returns>False if there is no such object, or it has another length.</returns>
    public async Task<bool> DownloadAsync(string key, long length, string path, CancellationToken cancel)
    {
        if (await store.LengthAsync(key, cancel) != length)
        {
            return false;
        }

        await DownloadAsync(key, length, null, path, cancel);
        return true;
    }

    /// <summary>Downloads an object as a listing showed it into a new file.</summary>
    /// <exception cref="UserErrorException">It was written since.</exception>
    public Task DownloadAsync(StoredObject item, string path, CancellationToken cancel) =>
        DownloadAsync(item.Key, item.Length, item.Tag.Length > 0 ? item.Tag : null, path, cancel);

    private async Task DownloadAsync(string key, long length, string? tag, string path, CancellationToken cancel)
    {
        using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.None, length);
        var partBytes = store.Options.PartBytes;
        var parts = (length + partBytes - 1) / partBytes;
        await Parallel.ForEachAsync(
            Enumerable.Range(0, (int)parts).Select(part => part * partBytes),
            new ParallelOptions { MaxDegreeOfParallelism = store.Options.PartsAtOnce, CancellationToken = cancel },
            async (start, token) =>
                await store.SendAsync(
                    $"reading {key}",
                    async attempt =>
                    {
                        await DownloadPartAsync(key, tag, file, start, Math.Min(partBytes, length - start), attempt);
                        return 0;
                    },
                    token
                )
        );
    }

    private async Task DownloadPartAsync(string key, string? tag, SafeFileHandle file, long start, long length, CancellationToken cancel)
    {
        using var answer = await store.RequestAsync(
            HttpMethod.Get,
            key,
            "",
            null,
            RequestSigner.EmptyBody,
            new RangeHeaderValue(start, start + length - 1),
            cancel,
            onlyIf: tag
        );
        RequireFound(answer, key);
        UserErrorException.ThrowIf(
            answer.StatusCode != HttpStatusCode.PartialContent && start > 0,
            $"the object store {store.Options.Endpoint} does not support range requests: it cannot be used"
        );

        await using var content = await answer.Content.ReadAsStreamAsync(cancel);
        var buffer = ArrayPool<byte>.Shared.Rent(Buffer);
        try
        {
            long done = 0;
            while (done < length)
            {
                var read = await content.ReadAsync(buffer.AsMemory(0, (int)Math.Min(Buffer, length - done)), cancel);
                if (read == 0)
                {
                    throw new IOException($"{key}: the answer ended {length - done} bytes early");
                }

                await RandomAccess.WriteAsync(file, buffer.AsMemory(0, read), start + done, cancel);
                done += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private Task<string> BeginAsync(string key, CancellationToken cancel) =>
        store.SendAsync(
            $"writing {key}",
            async token =>
            {
                using var answer = await store.RequestAsync(HttpMethod.Post, key, "uploads=", null, RequestSigner.EmptyBody, null, token);
                RequireFound(answer, key);
                return await S3Xml.ValueAsync(answer, "UploadId", token)
                    ?? throw new IOException($"{key}: the server began an upload without naming it");
            },
            cancel
        );

    private async Task<string> UploadPartAsync(
        SafeFileHandle file,
        PartDigests parts,
        string key,
        string upload,
        int part,
        CancellationToken cancel
    )
    {
        var digest = await parts.OfAsync(part);
        return await store.SendAsync(
            $"writing part {part + 1} of {key}",
            async token =>
            {
                var body = Body(file, part * parts.PartBytes, parts.LengthOf(part));
                body.Headers.ContentMD5 = digest;
                using var answer = await store.RequestAsync(
                    HttpMethod.Put,
                    key,
                    FormattableString.Invariant($"partNumber={part + 1}&uploadId={Uri.EscapeDataString(upload)}"),
                    body,
                    RequestSigner.BodyByMd5,
                    null,
                    token
                );
                RequireFound(answer, key);
                return answer.Headers.ETag?.Tag ?? throw new IOException($"{key}: the server took a part without naming it");
            },
            cancel
        );
    }

    private Task CompleteAsync(string key, long length, string upload, IEnumerable<string> tags, CancellationToken cancel)
    {
        var body = Encoding.UTF8.GetBytes(S3Xml.CompleteUpload(tags));
        var digest = Convert.ToHexStringLower(SHA256.HashData(body));
        return store.SendAsync(
            $"writing {key}",
            async token =>
            {
                using var answer = await store.RequestAsync(
                    HttpMethod.Post,
                    key,
                    "uploadId=" + Uri.EscapeDataString(upload),
                    new ByteArrayContent(body),
                    digest,
                    null,
                    token
                );
                if (await StatusOfCompletionAsync(answer, key, token) is var (status, code) && status == HttpStatusCode.OK)
                {
                    return 0;
                }

                // A first try whose answer was lost has completed the upload: then the upload is gone and the object there.
                return status == HttpStatusCode.NotFound && await store.LengthAsync(key, token) == length
                    ? 0
                    : throw new HttpRequestException($"status {(int)answer.StatusCode} {code}: the upload was not completed", null, status);
            },
            cancel
        );
    }

    // The server begins its answer before it knows how the upload ends: what comes after "200 OK" may be an error.
    private static async Task<(HttpStatusCode Status, string Code)> StatusOfCompletionAsync(
        HttpResponseMessage answer,
        string key,
        CancellationToken cancel
    )
    {
        var said = await S3Xml.ReadAsync(answer, cancel);
        if (answer.StatusCode == HttpStatusCode.OK && said?.Name.LocalName == "CompleteMultipartUploadResult")
        {
            return (HttpStatusCode.OK, "");
        }

        var code = S3Xml.Value(said, "Code") ?? "";
        return answer.StatusCode == HttpStatusCode.NotFound
            ? (HttpStatusCode.NotFound, code)
            : code switch
            {
                "" => throw new IOException($"{key}: the server did not say whether the upload is complete"),
                "NoSuchUpload" => (HttpStatusCode.NotFound, code),
                "AccessDenied" => (HttpStatusCode.Forbidden, code),
                "InternalError" or "SlowDown" or "ServiceUnavailable" or "RequestTimeout" => (HttpStatusCode.ServiceUnavailable, code),
                _ => (HttpStatusCode.BadRequest, code),
            };
    }

    private async Task AbortAsync(string key, string upload)
    {
        try
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            using var answer = await store.RequestAsync(
                HttpMethod.Delete,
                key,
                "uploadId=" + Uri.EscapeDataString(upload),
                null,
                RequestSigner.EmptyBody,
                null,
                limit.Token
            );
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException or IOException)
        {
            // The upload failed because the server is away: what was sent is for its life-cycle rule to remove.
        }
    }

    private static void RequireFound(HttpResponseMessage answer, string key)
    {
        if (answer.StatusCode == HttpStatusCode.NotFound)
        {
            throw new HttpRequestException($"status 404: {key} or its bucket does not exist", null, HttpStatusCode.NotFound);
        }
    }

    private static StreamContent Body(SafeFileHandle file, long start, long length)
    {
        var content = new StreamContent(new FileSection(file, start, length), Buffer);
        content.Headers.ContentLength = length;
        return content;
    }
}
