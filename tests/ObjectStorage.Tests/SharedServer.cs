using System.Text.RegularExpressions;
using ClipSae.Servers;
using Minio;
using Minio.DataModel.Args;

[assembly: AssemblyFixture(typeof(ClipSae.ObjectStorage.Tests.SharedServer))]

namespace ClipSae.ObjectStorage.Tests;

/// <summary>
/// One real server for all tests of the project: Ceph's gateway, started here, or the one at the address in <c>CLIPSAE_TEST_S3</c>, whose
/// administrator's keys are in the file that <c>CLIPSAE_TEST_S3_KEYS</c> names, in the form that curl reads: <c>user =
/// "ACCESS-KEY:SECRET-KEY"</c>.
/// </summary>
public sealed partial class SharedServer : IAsyncLifetime
{
    private ObjectServer? _own;

    public string Endpoint { get; private set; } = "";

    public string AccessKey { get; private set; } = "";

    public string SecretKey { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        if (Environment.GetEnvironmentVariable("CLIPSAE_TEST_S3") is { Length: > 0 } given)
        {
            var keys = Keys()
                .Match(
                    await File.ReadAllTextAsync(
                        Environment.GetEnvironmentVariable("CLIPSAE_TEST_S3_KEYS")
                            ?? throw new InvalidOperationException("CLIPSAE_TEST_S3_KEYS names no file")
                    )
                );
            keys.Success.ShouldBeTrue("CLIPSAE_TEST_S3_KEYS names a file without the line  user = \"ACCESS-KEY:SECRET-KEY\"");
            (Endpoint, AccessKey, SecretKey) = (given, keys.Groups[1].Value, keys.Groups[2].Value);
            return;
        }

        _own = await ObjectServer.StartAsync();
        (Endpoint, AccessKey, SecretKey) = (_own.Endpoint, _own.AccessKey, _own.SecretKey);
    }

    public ValueTask DisposeAsync() => _own?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <summary>Does what the server's own administrator can do; how, each server has its own way, and here it is Ceph's.</summary>
    public Task AdministerAsync(params string[] arguments)
    {
        Assert.SkipWhen(_own is null, "only a server that was started here can be administered");
        return _own!.AdministerAsync(arguments);
    }

    /// <summary>Options for a new, empty bucket.</summary>
    public async Task<ObjectStorageOptions> NewBucketAsync(string cacheFolder)
    {
        var options = new ObjectStorageOptions
        {
            Endpoint = Endpoint,
            Bucket = $"test-{Guid.NewGuid():N}",
            AccessKey = AccessKey,
            SecretKey = SecretKey,
            CacheFolder = cacheFolder,
            PartBytes = 5 << 20,
            OutageTolerance = TimeSpan.FromSeconds(20),
        };
        using var client = new MinioClient()
            .WithEndpoint(new Uri(options.Endpoint))
            .WithCredentials(options.AccessKey, options.SecretKey)
            .WithRegion(options.Region);
        await client.Build().MakeBucketAsync(new MakeBucketArgs().WithBucket(options.Bucket));
        return options;
    }

    [GeneratedRegex("user = \"([^:\"]+):([^\"]+)\"")]
    private static partial Regex Keys();
}
