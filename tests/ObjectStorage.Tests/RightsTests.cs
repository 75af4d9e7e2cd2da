using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using ClipSae.Pipeline.Coordination;
using ClipSae.Pipeline.Events;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;
using ClipSae.Servers;
using ClipSae.TestKit.Files;

namespace ClipSae.ObjectStorage.Tests;

public sealed class RightsTests(SharedServer shared) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_documented_policy_is_enough_and_no_more()
    {
        var owner = await shared.NewBucketAsync(_folder.Path);
        await shared.AdministerAsync(
            "user",
            "create",
            "--uid",
            "worker",
            "--display-name",
            "worker",
            "--access-key",
            "worker-key",
            "--secret-key",
            "worker-secret"
        );
        using var owned = new S3ObjectStore(owner, TimeProvider.System);
        await GrantAsync(owned, "worker", "clipsae", owner.Bucket);
        using var store = new S3ObjectStore(owner with { AccessKey = "worker-key", SecretKey = "worker-secret" }, TimeProvider.System);

        await StoreProbe.RequireUsableAsync(store);
        using var artifacts = new S3ArtifactStore(store, TimeProvider.System);
        var big = _folder.File("big");
        File.WriteAllBytes(big, new byte[11 << 20]);
        var artifact = await artifacts.PutFileAsync(big, "big", "x/y");
        await artifacts.FetchAsync(artifact);
        (
            await new EventStore(store).TryAppendAsync("run", 0, [new RunCancelRequested("x") { At = DateTimeOffset.UnixEpoch }])
        ).ShouldBeTrue();
        (await new EventStore(store).ListRunsAsync()).ShouldBe(["run"]);
        await new StageResults(store).RememberKeyAsync("stage", "unit", "key");
        await new RunStatusMarkers(store).SetAsync("run", RunStatus.Stopping);
        var checkpoints = new CheckpointStore(store);
        await checkpoints
            .Open("key", _folder.Path)
            .SaveAsync(new Dictionary<string, string> { ["weights"] = big }, [], CancellationToken.None);
        await checkpoints.ClearAsync("key");

        (
            await Should.ThrowAsync<UserErrorException>(() => store.RemoveAsync(S3ArtifactStore.KeyOf(artifact.Digest)))
        ).Message.ShouldContain("refuses removing");
        (await Should.ThrowAsync<UserErrorException>(() => store.RemoveAsync("runs/run/events/00000001.json"))).Message.ShouldContain(
            "refuses removing"
        );
        (await store.LengthAsync(S3ArtifactStore.KeyOf(artifact.Digest))).ShouldBe(artifact.Length);
    }

    [Theory]
    [InlineData("datasets")]
    [InlineData("models")]
    public async Task What_runs_begin_with_may_be_read_and_not_changed(string bucket)
    {
        var owner = await shared.NewBucketAsync(_folder.Path);
        await shared.AdministerAsync(
            "user",
            "create",
            "--uid",
            bucket,
            "--display-name",
            bucket,
            "--access-key",
            $"{bucket}-key",
            "--secret-key",
            "worker-secret"
        );
        using var owned = new S3ObjectStore(owner, TimeProvider.System);
        await owned.WriteAsync("coco/a.png", "a"u8.ToArray());
        await GrantAsync(owned, bucket, bucket, owner.Bucket);
        using var store = new S3ObjectStore(owner with { AccessKey = $"{bucket}-key", SecretKey = "worker-secret" }, TimeProvider.System);

        (await RemoteFolder.FetchAsync(store, "coco", _folder.File("local"))).Objects.ShouldBe(1);
        await Should.ThrowAsync<UserErrorException>(() => store.WriteAsync("coco/b.png", "b"u8.ToArray()));
        await Should.ThrowAsync<UserErrorException>(() => store.RemoveAsync("coco/a.png"));
    }

    [Fact]
    public async Task A_bucket_over_its_quota_is_said_to_be_full()
    {
        var options = await shared.NewBucketAsync(_folder.Path);
        await shared.AdministerAsync("quota", "set", "--quota-scope", "bucket", "--bucket", options.Bucket, "--max-objects", "0");
        await shared.AdministerAsync("quota", "enable", "--quota-scope", "bucket", "--bucket", options.Bucket);
        using var store = new S3ObjectStore(options, TimeProvider.System);

        (await Should.ThrowAsync<UserErrorException>(() => StoreProbe.RequireUsableAsync(store))).Message.ShouldContain(
            "is full or over its quota"
        );
    }

    private static async Task GrantAsync(S3ObjectStore owned, string user, string documented, string bucket)
    {
        var policy = JsonNode.Parse(await File.ReadAllTextAsync(SolutionFolder.At("infra", "compose", "policy.json")))!;
        foreach (var statement in policy["Statement"]!.AsArray())
        {
            statement!["Principal"] = new JsonObject { ["AWS"] = new JsonArray($"arn:aws:iam:::user/{user}") };
        }

        var body = Encoding.UTF8.GetBytes(policy.ToJsonString().Replace($":::{documented}", $":::{bucket}", StringComparison.Ordinal));
        using var content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        using var answer = await owned.RequestAsync(
            HttpMethod.Put,
            "",
            "policy=",
            content,
            Convert.ToHexStringLower(SHA256.HashData(body)),
            null,
            CancellationToken.None
        );
        answer.IsSuccessStatusCode.ShouldBeTrue();
    }
}
