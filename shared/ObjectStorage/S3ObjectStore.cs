using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ClipSae.Artifacts;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Minio;
using Minio.DataModel.Args;
using Minio.Exceptions;
using Polly;

namespace ClipSae.ObjectStorage;

/// <summary>
/// One bucket of an S3 server. Every request is repeated while the server cannot be reached (jitter, circuit breaker, a time-out
/// for each), and what cannot pass becomes one line for the user.
/// </summary>
/// <remarks>
/// The Minio package looks for the bucket and lists. Version 7.0.0 takes the answer to a range for an error, looks an object up before
/// each read, sends the parts of an upload one after another from memory and falls over errors without a body; the rest are therefore
/// requests of our own.
/// </remarks>
public sealed class S3ObjectStore : IObjectStore, IDisposable
{
    // Objects read into memory are events, results and indices; more is a mistake or an attack.
    private const long MaxInMemory = 64L << 20;

    private readonly IMinioClient _minio;
    private readonly HttpClient _http;
    private readonly RequestSigner _signer;
    private readonly ResiliencePipeline _resilience;
    private volatile bool _isReached;

    public S3ObjectStore(ObjectStorageOptions options, TimeProvider time, ILogger<S3ObjectStore>? log = null)
    {
        options.Validate();
        Options = options;
        _http = new HttpClient(new ClockCheck(options.Endpoint, time, CreateHandler(options))) { Timeout = Timeout.InfiniteTimeSpan };
        _signer = new RequestSigner(options.ReadAccessKey(), options.ReadSecretKey(), options.Region, time);
        var endpoint = new Uri(options.Endpoint);
        _minio = new MinioClient()
            .WithEndpoint(endpoint)
            .WithSSL(endpoint.Scheme == Uri.UriSchemeHttps) // left alone the package speaks plain http, whatever the address says
            .WithCredentials(options.ReadAccessKey(), options.ReadSecretKey())
            .WithRegion(options.Region)
            .WithHttpClient(_http)
            .Build();
        _resilience = StorageResilience.Create(options, time, log ?? NullLogger<S3ObjectStore>.Instance, () => _isReached);
    }

    public ObjectStorageOptions Options { get; }

    public string Describe(string key) => $"{key} in {Options}";

    /// <summary>Whether the bucket is there.</summary>
    public Task<bool> HasBucketAsync(CancellationToken cancel = default) =>
        SendAsync(
            "checking the bucket",
            token => ThroughPackageAsync(() => _minio.BucketExistsAsync(new BucketExistsArgs().WithBucket(Options.Bucket), token)),
            cancel
        );

    public Task WriteAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancel = default) =>
        SendAsync($"writing {key}", token => PutAsync(key, content, isNew: false, token), cancel);

    public Task<bool> TryCreateAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancel = default)
    {
        if (content.Length > MaxInMemory)
        {
            throw new UserErrorException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{key} would be {content.Length >> 20} MiB: more than {MaxInMemory >> 20} MiB are not kept as one object; "
                        + $"use fewer and larger shards"
                )
            );
        }

        var sent = 0;
        return SendAsync(
            $"writing {key}",
            async token =>
            {
                sent++;
                if (await PutAsync(key, content, isNew: true, token))
                {
                    return true;
                }

                // A first try whose answer was lost may have been the winner itself.
                return sent > 1 && await ReadOnceAsync(key, token) is { } stored && stored.AsSpan().SequenceEqual(content.Span);
            },
            cancel
        );
    }

    public Task<byte[]?> ReadAsync(string key, CancellationToken cancel = default) =>
        SendAsync($"reading {key}", token => ReadOnceAsync(key, token), cancel);

    public Task<long?> LengthAsync(string key, CancellationToken cancel = default) =>
        SendAsync(
            $"checking {key}",
            async token =>
            {
                using var answer = await RequestAsync(HttpMethod.Head, key, "", null, RequestSigner.EmptyBody, null, token);
                return answer.StatusCode == HttpStatusCode.NotFound
                    ? (long?)null
                    : answer.Content.Headers.ContentLength
                        ?? throw new UserErrorException(
                            $"the object store {Options.Endpoint} does not report the length of objects (HEAD without "
                                + "Content-Length): it cannot be used"
                        );
            },
            cancel
        );

    public Task<IReadOnlyList<StoredObject>> ListAsync(string prefix, bool isDeep = true, CancellationToken cancel = default) =>
        SendAsync<IReadOnlyList<StoredObject>>(
            $"listing {prefix}",
            token =>
                ThroughPackageAsync<IReadOnlyList<StoredObject>>(async () =>
                {
                    var found = new List<StoredObject>();
                    await foreach (
                        var item in _minio.ListObjectsEnumAsync(
                            new ListObjectsArgs().WithBucket(Options.Bucket).WithPrefix(prefix).WithRecursive(isDeep),
                            token
                        )
                    )
                    {
                        found.Add(new StoredObject(item.Key, (long)item.Size, Time(item.LastModified), item.ETag?.Trim('"') ?? ""));
                    }

                    found.Sort((left, right) => string.CompareOrdinal(left.Key, right.Key));
                    return found;
                }),
            cancel
        );

    public Task RemoveAsync(string key, CancellationToken cancel = default) =>
        SendAsync(
            $"removing {key}",
            async token =>
            {
                using var answer = await RequestAsync(HttpMethod.Delete, key, "", null, RequestSigner.EmptyBody, null, token);
                return 0;
            },
            cancel
        );

    public async Task<(string Digest, long Length)> PutFileAsync(string key, string path, bool isOwn, CancellationToken cancel = default)
    {
        var transfer = new ObjectTransfer(this);
        using var source = SourceFile.Open(path);
        var outline = await transfer.OutlineAsync(path, source, cancel);
        await transfer.UploadAsync(source, outline, key, cancel);
        if (isOwn)
        {
            File.Delete(path);
        }

        return (Digest.Prefix + outline.Digest, outline.Length);
    }

    public async Task<string?> FetchFileAsync(string key, long length, string scratch, CancellationToken cancel = default)
    {
        var path = Path.Combine(Directory.CreateDirectory(scratch).FullName, Guid.NewGuid().ToString("N"));
        return await new ObjectTransfer(this).DownloadAsync(key, length, path, cancel) ? path : null;
    }

    /// <summary>Whether the server refuses an object that does not have the digest it is sent with (<c>Content-MD5</c>).</summary>
    internal Task<bool> RefusesDamageAsync(string key, CancellationToken cancel) =>
        SendAsync(
            $"writing {key}",
            async token =>
            {
                using var body = new ByteArrayContent("damaged"u8.ToArray());
                body.Headers.ContentMD5 = new byte[16];
                try
                {
                    using var answer = await RequestAsync(HttpMethod.Put, key, "", body, RequestSigner.BodyByMd5, null, token);
                    return false;
                }
                catch (HttpRequestException error) when (error.StatusCode is HttpStatusCode.BadRequest)
                {
                    return true;
                }
            },
            cancel
        );

    public void Dispose()
    {
        (_minio as IDisposable)?.Dispose();
        _http.Dispose();
    }

    /// <summary>Runs requests with repeats and time-outs; failures become lines for the user.</summary>
    internal async Task<T> SendAsync<T>(string doing, Func<CancellationToken, Task<T>> request, CancellationToken cancel)
    {
        try
        {
            return await _resilience.ExecuteAsync(
                async token =>
                {
                    var answer = await request(token);
                    _isReached = true;
                    return answer;
                },
                cancel
            );
        }
        catch (Exception error)
            when (error is not OperationCanceledException && StorageErrors.Explain(error, Options, doing) is { } explained)
        {
            throw explained;
        }
    }

    /// <summary>
    /// One signed request; where <paramref name="onlyIf"/> names an ETag, for an object that still has it. An answer that is neither a
    /// success nor "not found" is an <see cref="HttpRequestException"/> with its status.
    /// </summary>
    internal async Task<HttpResponseMessage> RequestAsync(
        HttpMethod method,
        string key,
        string query,
        HttpContent? body,
        string bodyDigest,
        RangeHeaderValue? range,
        CancellationToken cancel,
        bool isNew = false,
        string? onlyIf = null
    )
    {
        var path = string.Join('/', key.Split('/').Select(Uri.EscapeDataString));
        var address = $"{Options.Endpoint.TrimEnd('/')}/{Options.Bucket}/{path}{(query.Length == 0 ? "" : "?" + query)}";
        using var request = new HttpRequestMessage(method, address) { Content = body };
        request.Headers.Range = range;
        if (isNew)
        {
            request.Headers.IfNoneMatch.Add(EntityTagHeaderValue.Any);
        }

        if (onlyIf is not null)
        {
            request.Headers.IfMatch.Add(new EntityTagHeaderValue($"\"{onlyIf}\""));
        }

        _signer.Sign(request, bodyDigest);
        var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
        if (answer.IsSuccessStatusCode || answer.StatusCode == HttpStatusCode.NotFound)
        {
            return answer;
        }

        using (answer)
        {
            throw new HttpRequestException(
                $"status {(int)answer.StatusCode} {await S3Xml.ErrorCodeAsync(answer, cancel)}".TrimEnd(),
                null,
                answer.StatusCode
            );
        }
    }

    private async Task<byte[]?> ReadOnceAsync(string key, CancellationToken cancel)
    {
        using var answer = await RequestAsync(HttpMethod.Get, key, "", null, RequestSigner.EmptyBody, null, cancel);
        if (answer.StatusCode == HttpStatusCode.NotFound)
        {
            return await S3Xml.ErrorCodeAsync(answer, cancel) == "NoSuchBucket"
                ? throw new BucketNotFoundException(Options.Bucket, "no such bucket")
                : null;
        }

        try
        {
            await answer.Content.LoadIntoBufferAsync(MaxInMemory, cancel);
        }
        catch (HttpRequestException error) when (error.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded)
        {
            throw new UserErrorException(
                $"{key} in {Options} has more than {MaxInMemory >> 20} MiB: more than such an object may have",
                error
            );
        }

        return await answer.Content.ReadAsByteArrayAsync(cancel);
    }

    private async Task<bool> PutAsync(string key, ReadOnlyMemory<byte> content, bool isNew, CancellationToken cancel)
    {
        try
        {
            using var answer = await RequestAsync(
                HttpMethod.Put,
                key,
                "",
                new ReadOnlyMemoryContent(content),
                Convert.ToHexStringLower(SHA256.HashData(content.Span)),
                null,
                cancel,
                isNew
            );
            return answer.StatusCode != HttpStatusCode.NotFound
                ? true
                : throw new BucketNotFoundException(Options.Bucket, "no such bucket");
        }
        catch (HttpRequestException error) when (isNew && error.StatusCode is HttpStatusCode.PreconditionFailed)
        {
            return false;
        }
    }

    // An object of unknown age counts as new.
    private static DateTimeOffset Time(string? written) =>
        DateTimeOffset.TryParse(written, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : DateTimeOffset.MaxValue;

    // Version 7.0.0 falls over an error that has no body, as those of proxies have none.
    private static async Task<T> ThroughPackageAsync<T>(Func<Task<T>> request)
    {
        try
        {
            return await request();
        }
        catch (NullReferenceException error)
        {
            throw new IOException("the server answered with an error and no details", error);
        }
    }

    private static SocketsHttpHandler CreateHandler(ObjectStorageOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            MaxConnectionsPerServer = 64,
            ConnectTimeout = TimeSpan.FromSeconds(10),
        };
        if (options.CertificateAuthorityFile is { } file)
        {
            var authority = new X509Certificate2Collection();
            try
            {
                authority.ImportFromPemFile(file);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException or CryptographicException)
            {
                throw new UserErrorException(
                    $"ClipSae:S3:CertificateAuthorityFile: cannot read {file} ({UserErrorException.FirstLine(error.Message)})",
                    error
                );
            }

            handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(authority);
        }

        return handler;
    }
}
