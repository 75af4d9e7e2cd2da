using System.Diagnostics;
using ClipSae.Servers;
using ClipSae.TestKit.Files;

namespace ClipSae.ObjectStorage.Tests;

/// <summary>How compose makes its buckets: by plain requests, at any server.</summary>
public sealed class BucketScriptTests(SharedServer shared) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Buckets_are_made_and_kept()
    {
        var (first, second) = ($"made-{Guid.NewGuid():N}", $"made-{Guid.NewGuid():N}");

        (await RunAsync(shared.SecretKey, first)).ShouldBe((0, ""));
        using var store = Open(first);
        await store.WriteAsync("kept", "kept"u8.ToArray());
        (await RunAsync(shared.SecretKey, first, second)).ShouldBe((0, ""));

        (await store.ReadAsync("kept")).ShouldBe("kept"u8.ToArray());
        using var other = Open(second);
        (await other.HasBucketAsync()).ShouldBeTrue();
    }

    [Fact]
    public async Task A_key_that_is_refused_ends_it_with_one_line()
    {
        var (code, said) = await RunAsync("wrong", "refused", tries: 1);

        code.ShouldBe(1);
        said.Trim().ShouldBe($"bucket refused could not be made on {shared.Endpoint}: status 403");
    }

    private S3ObjectStore Open(string bucket) =>
        new(
            new ObjectStorageOptions
            {
                Endpoint = shared.Endpoint,
                Bucket = bucket,
                AccessKey = shared.AccessKey,
                SecretKey = shared.SecretKey,
                CacheFolder = _folder.Path,
            },
            TimeProvider.System
        );

    private Task<(int Code, string Said)> RunAsync(string secretKey, params string[] buckets) =>
        RunAsync(secretKey, string.Join(' ', buckets), tries: 10);

    private async Task<(int Code, string Said)> RunAsync(string secretKey, string buckets, int tries)
    {
        var keys = _folder.File("keys");
        await File.WriteAllTextAsync(keys, $"user = \"{shared.AccessKey}:{secretKey}\"\n");
        var start = new ProcessStartInfo(
            "sh",
            [SolutionFolder.At("infra", "compose", "buckets.sh"), shared.Endpoint, keys, .. buckets.Split(' ')]
        )
        {
            RedirectStandardError = true,
        };
        start.Environment["TRIES"] = $"{tries}";
        using var process = Process.Start(start)!;
        var said = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, said);
    }
}
