using ClipSae.Servers;
using Minio;
using Minio.DataModel.Args;

[assembly: AssemblyFixture(typeof(ClipSae.ObjectStorage.Tests.SharedServer))]

namespace ClipSae.ObjectStorage.Tests;

/// <summary>One real server for all tests of the project.</summary>
public sealed class SharedServer : IAsyncLifetime
{
    private int _buckets;

    public ObjectServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await ObjectServer.StartAsync();

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    /// <summary>Options for a new, empty bucket.</summary>
    public async Task<ObjectStorageOptions> NewBucketAsync(string cacheFolder)
    {
        var options = new ObjectStorageOptions
        {
            Endpoint = Server.Endpoint,
            Bucket = $"test-{Interlocked.Increment(ref _buckets)}",
            AccessKey = Server.AccessKey,
            SecretKey = Server.SecretKey,
            CacheFolder = cacheFolder,
            PartBytes = 5 << 20,
            OutageTolerance = TimeSpan.FromSeconds(20),
        };
        using var client = new MinioClient().WithEndpoint(new Uri(options.Endpoint)).WithCredentials(options.AccessKey, options.SecretKey).WithRegion(options.Region);
        await client.Build().MakeBucketAsync(new MakeBucketArgs().WithBucket(options.Bucket));
        return options;
    }
}
