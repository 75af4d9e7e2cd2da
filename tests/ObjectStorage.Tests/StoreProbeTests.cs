using ClipSae.Servers;

namespace ClipSae.ObjectStorage.Tests;

public class StoreProbeTests(SharedServer shared)
{
    [Fact]
    public async Task A_server_that_honours_conditions_is_taken_and_nothing_stays_behind()
    {
        using var store = new S3ObjectStore(await shared.NewBucketAsync(Path.GetTempPath()), TimeProvider.System);

        await StoreProbe.RequireUsableAsync(store);

        (await store.ListAsync("")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_missing_bucket_is_named() =>
        await RefusesAsync(
            (await shared.NewBucketAsync(Path.GetTempPath())) with
            {
                Bucket = "nobody-made-it",
            },
            "has no bucket nobody-made-it"
        );

    [Fact]
    public async Task A_wrong_secret_is_named() =>
        await RefusesAsync((await shared.NewBucketAsync(Path.GetTempPath())) with { SecretKey = "wrong" }, "refuses", "SecretKey");

    [Fact]
    public async Task A_clock_that_differs_is_named_in_place_of_the_key()
    {
        var options = await shared.NewBucketAsync(Path.GetTempPath());
        using var refuses = new FakeServer
        {
            Answers = _ => (System.Net.HttpStatusCode.Forbidden, "<Error><Code>RequestTimeTooSkewed</Code></Error>"),
        };
        using var real = new S3ObjectStore(options, new Ahead(TimeSpan.FromHours(23)));
        using var fake = new S3ObjectStore(options with { Endpoint = refuses.Endpoint }, new Ahead(TimeSpan.FromHours(-23)));

        (await Should.ThrowAsync<UserErrorException>(() => real.ReadAsync("anything"))).Message.ShouldContain(
            "differs by 23 h from the store's"
        );
        var probed = await Should.ThrowAsync<UserErrorException>(() => StoreProbe.RequireUsableAsync(fake));
        probed.Message.ShouldContain("differs by 23 h from the store's");
        probed.Message.ShouldNotContain("SecretKey");
    }

    [Fact]
    public async Task A_wrong_key_is_named() =>
        await RefusesAsync((await shared.NewBucketAsync(Path.GetTempPath())) with { AccessKey = "nobody" }, "refuses", "AccessKey");

    [Fact]
    public async Task A_server_that_is_not_there_is_named()
    {
        var options = (await shared.NewBucketAsync(Path.GetTempPath())) with
        {
            Endpoint = $"http://127.0.0.1:{FreePort.Next()}",
            OutageTolerance = TimeSpan.Zero,
        };
        using var store = new S3ObjectStore(options, TimeProvider.System);

        (await Should.ThrowAsync<TimeoutException>(() => StoreProbe.RequireUsableAsync(store))).Message.ShouldContain(
            $"{options.Endpoint} did not answer"
        );
    }

    [Fact]
    public async Task A_server_that_ignores_conditions_is_refused()
    {
        using var forgetful = new FakeServer();
        await RefusesAsync(
            new ObjectStorageOptions
            {
                Endpoint = forgetful.Endpoint,
                AccessKey = "a",
                SecretKey = "b",
                OutageTolerance = TimeSpan.Zero,
            },
            "ignores conditional writes"
        );
    }

    [Fact]
    public async Task A_server_that_keeps_what_arrives_damaged_is_refused()
    {
        using var careless = new FakeServer { HonoursConditions = true };
        await RefusesAsync(careless.Options() with { OutageTolerance = TimeSpan.Zero }, "ignores Content-MD5");
    }

    private static async Task RefusesAsync(ObjectStorageOptions options, params string[] parts)
    {
        using var store = new S3ObjectStore(options, TimeProvider.System);
        var error = await Should.ThrowAsync<UserErrorException>(() => StoreProbe.RequireUsableAsync(store));
        foreach (var part in parts)
        {
            error.Message.ShouldContain(part);
        }

        error.Message.ShouldNotContain("\n");
    }

    private sealed class Ahead(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
    }
}
