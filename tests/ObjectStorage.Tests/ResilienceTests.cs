using System.Net;
using ClipSae.Servers;
using ClipSae.TestKit.Clocks;
using Microsoft.Extensions.Time.Testing;

namespace ClipSae.ObjectStorage.Tests;

public class ResilienceTests
{
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());

    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(429)]
    public async Task A_server_that_is_overloaded_for_a_moment_is_asked_again(int status)
    {
        using var server = new FakeServer { Fails = request => request < 3 ? status : 0 };
        using var store = new S3ObjectStore(server.Options(), _time);

        (await _time.PassUntilAsync(store.LengthAsync("none"))).ShouldBeNull();

        server.Requests.ShouldBe(4);
    }

    [Fact]
    public async Task A_write_is_repeated_too()
    {
        using var server = new FakeServer { Fails = request => request < 2 ? 503 : 0 };
        using var store = new S3ObjectStore(server.Options(), _time);

        await _time.PassUntilAsync(store.WriteAsync("key", "content"u8.ToArray()));

        (await _time.PassUntilAsync(store.ReadAsync("key")))!.ShouldBe("content"u8.ToArray());
    }

    [Fact]
    public async Task A_created_object_whose_answer_was_lost_is_known_as_our_own()
    {
        using var server = new FakeServer { HonoursConditions = true, Fails = request => request == 0 ? 500 : 0 };
        using var store = new S3ObjectStore(server.Options(), _time);

        (await _time.PassUntilAsync(store.TryCreateAsync("runs/run/events/00000001.json", "mine"u8.ToArray()))).ShouldBeTrue();
        (await _time.PassUntilAsync(store.TryCreateAsync("runs/run/events/00000001.json", "theirs"u8.ToArray()))).ShouldBeFalse();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_creation_that_met_another_on_its_way_is_tried_again_and_decided_then(bool isThere)
    {
        var conflicts = 1;
        using var server = new FakeServer
        {
            HonoursConditions = true,
            Answers = request =>
                request.Headers["If-None-Match"] is not null && conflicts-- > 0
                    ? (HttpStatusCode.Conflict, "<Error><Code>ConditionalRequestConflict</Code></Error>")
                    : null,
        };
        using var store = new S3ObjectStore(server.Options(), _time);
        if (isThere)
        {
            await _time.PassUntilAsync(store.WriteAsync("runs/run/events/00000001.json", "theirs"u8.ToArray()));
        }

        (await _time.PassUntilAsync(store.TryCreateAsync("runs/run/events/00000001.json", "mine"u8.ToArray()))).ShouldBe(!isThere);

        (await _time.PassUntilAsync(store.ReadAsync("runs/run/events/00000001.json")))!.ShouldBe(
            isThere ? "theirs"u8.ToArray() : "mine"u8.ToArray()
        );
    }

    [Theory]
    [InlineData(1 << 10, true)]
    [InlineData((64 << 20) + 1, false)]
    public async Task What_comes_without_a_length_is_read_up_to_the_same_limit(int length, bool isRead)
    {
        using var server = new FakeServer { Answers = _ => (HttpStatusCode.OK, new string('x', length)) };
        using var store = new S3ObjectStore(server.Options(), _time);

        if (isRead)
        {
            (await store.ReadAsync("key"))!.Length.ShouldBe(length);
        }
        else
        {
            (await Should.ThrowAsync<UserErrorException>(() => store.ReadAsync("key"))).Message.ShouldContain("has more than 64 MiB");
        }
    }

    [Fact]
    public async Task A_refusal_that_comes_without_a_length_is_told_by_its_code()
    {
        using var server = new FakeServer { Answers = _ => (HttpStatusCode.BadRequest, "<Error><Code>InvalidDigest</Code></Error>") };
        using var store = new S3ObjectStore(server.Options(), _time);

        (await Should.ThrowAsync<UserErrorException>(() => store.ReadAsync("key"))).Message.ShouldContain("status 400 InvalidDigest");
    }

    [Fact]
    public async Task A_server_that_does_not_tell_lengths_is_not_one_without_objects()
    {
        using var server = new FakeServer { Answers = _ => (HttpStatusCode.OK, "") };
        using var store = new S3ObjectStore(server.Options(), _time);

        (await Should.ThrowAsync<UserErrorException>(() => store.LengthAsync("key"))).Message.ShouldContain(
            "does not report the length of objects"
        );
    }

    [Fact]
    public async Task A_server_that_never_answered_is_given_up_sooner_than_one_that_did()
    {
        using var server = new FakeServer();
        using var store = new S3ObjectStore(server.Options() with { StartTimeout = TimeSpan.Zero }, _time);
        server.Fails = _ => 503;

        (await Should.ThrowAsync<TimeoutException>(() => store.LengthAsync("key"))).Message.ShouldContain("did not answer");
        server.Requests.ShouldBe(1);

        server.Fails = _ => 0;
        await store.LengthAsync("key");
        server.Fails = request => request < 4 ? 503 : 0;

        (await _time.PassUntilAsync(store.LengthAsync("key"))).ShouldBeNull();
        server.Requests.ShouldBe(5);
    }

    [Fact]
    public async Task A_server_that_fails_again_and_again_is_left_alone_for_a_moment()
    {
        using var server = new FakeServer { Fails = _ => 503 };
        using var store = new S3ObjectStore(server.Options() with { OutageTolerance = TimeSpan.Zero }, _time);
        for (var request = 0; request < 15; request++)
        {
            await Should.ThrowAsync<TimeoutException>(() => store.LengthAsync("key"));
        }

        server.Requests.ShouldBe(10);
    }

    [Fact]
    public async Task What_could_not_be_read_back_whole_is_not_written()
    {
        using var server = new FakeServer();
        using var store = new S3ObjectStore(server.Options(), _time);

        var error = await Should.ThrowAsync<UserErrorException>(() =>
            store.TryCreateAsync("runs/run/events/00000001.json", new byte[(64 << 20) + 1])
        );

        error.Message.ShouldContain("more than 64 MiB are not kept as one object");
        server.Requests.ShouldBe(0);
    }

    [Theory]
    [InlineData(507, "is full or over its quota")]
    [InlineData(403, "refuses")]
    public async Task What_does_not_pass_is_said_at_once(int status, string said)
    {
        using var server = new FakeServer { Fails = _ => status };
        using var store = new S3ObjectStore(server.Options(), _time);

        var error = await Should.ThrowAsync<UserErrorException>(() => store.LengthAsync("key"));

        error.Message.ShouldContain(said);
        server.Requests.ShouldBe(1);
    }
}
