using ClipSae.Contracts;
using ClipSae.Servers;

namespace ClipSae.ObjectStorage.Tests;

public class ResilienceTests
{
    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(429)]
    public async Task A_server_that_is_overloaded_for_a_moment_is_asked_again(int status)
    {
        using var server = new FakeServer { Fails = request => request < 3 ? status : 0 };
        using var store = new ObjectStore(server.Options(), TimeProvider.System);

        (await store.LengthAsync("none")).ShouldBeNull();

        server.Requests.ShouldBe(4);
    }

    [Fact]
    public async Task A_write_is_repeated_too()
    {
        using var server = new FakeServer { Fails = request => request < 2 ? 503 : 0 };
        using var store = new ObjectStore(server.Options(), TimeProvider.System);

        await store.WriteAsync("key", "content"u8.ToArray());

        (await store.ReadAsync("key"))!.ShouldBe("content"u8.ToArray());
    }

    [Fact]
    public async Task A_created_object_whose_answer_was_lost_is_known_as_our_own()
    {
        using var server = new FakeServer { HonoursConditions = true, Fails = request => request == 0 ? 500 : 0 };
        using var store = new ObjectStore(server.Options(), TimeProvider.System);

        (await store.TryCreateAsync("runs/run/events/00000001.json", "mine"u8.ToArray())).ShouldBeTrue();
        (await store.TryCreateAsync("runs/run/events/00000001.json", "theirs"u8.ToArray())).ShouldBeFalse();
    }

    [Fact]
    public async Task A_server_that_never_answered_is_given_up_sooner_than_one_that_did()
    {
        using var server = new FakeServer();
        using var store = new ObjectStore(server.Options() with { StartTimeout = TimeSpan.Zero }, TimeProvider.System);
        server.Fails = _ => 503;

        (await Should.ThrowAsync<TimeoutException>(() => store.LengthAsync("key"))).Message.ShouldContain("did not answer");
        server.Requests.ShouldBe(1);

        server.Fails = _ => 0;
        await store.LengthAsync("key");
        server.Fails = request => request < 4 ? 503 : 0;

        (await store.LengthAsync("key")).ShouldBeNull();
        server.Requests.ShouldBe(5);
    }

    [Fact]
    public async Task A_server_that_fails_again_and_again_is_left_alone_for_a_moment()
    {
        using var server = new FakeServer { Fails = _ => 503 };
        using var store = new ObjectStore(server.Options() with { OutageTolerance = TimeSpan.Zero }, TimeProvider.System);
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
        using var store = new ObjectStore(server.Options(), TimeProvider.System);

        var error = await Should.ThrowAsync<UserErrorException>(() => store.TryCreateAsync("runs/run/events/00000001.json", new byte[(64 << 20) + 1]));

        error.Message.ShouldContain("more than 64 MiB are not kept as one object");
        server.Requests.ShouldBe(0);
    }

    [Theory]
    [InlineData(507, "is full or over its quota")]
    [InlineData(403, "refuses")]
    public async Task What_does_not_pass_is_said_at_once(int status, string said)
    {
        using var server = new FakeServer { Fails = _ => status };
        using var store = new ObjectStore(server.Options(), TimeProvider.System);

        var error = await Should.ThrowAsync<UserErrorException>(() => store.LengthAsync("key"));

        error.Message.ShouldContain(said);
        server.Requests.ShouldBe(1);
    }
}
