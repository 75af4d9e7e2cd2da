using ClipSae.Pipeline.Events;

namespace ClipSae.TestKit.Stores;

/// <summary>What every event store must do. Each adapter runs it.</summary>
public abstract class EventStoreContract
{
    private static readonly DateTimeOffset At = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    protected abstract IEventStore CreateSut();

    [Fact]
    public async Task An_unknown_run_has_no_events()
    {
        var store = CreateSut();

        (await store.ReadAsync("none")).ShouldBeEmpty();
        (await store.ListRunsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Appended_events_are_read_in_order_from_any_version()
    {
        var store = CreateSut();
        (await store.TryAppendAsync("run", 0, [Said("a"), Said("b"), Said("c")])).ShouldBeTrue();
        (await store.TryAppendAsync("run", 3, [Said("d")])).ShouldBeTrue();

        Reasons(await store.ReadAsync("run")).ShouldBe("1a 2b 3c 4d");
        Reasons(await store.ReadAsync("run", 3)).ShouldBe("4d");
        Reasons(await store.ReadAsync("run", 1)).ShouldBe("2b 3c 4d");
        Reasons(await store.ReadAsync("run", 4)).ShouldBe("");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    public async Task A_version_that_is_not_the_last_is_a_conflict(long version)
    {
        var store = CreateSut();
        await store.TryAppendAsync("run", 0, [Said("a"), Said("b")]);

        (await store.TryAppendAsync("run", version, [Said("late")])).ShouldBeFalse();

        Reasons(await store.ReadAsync("run")).ShouldBe("1a 2b");
    }

    [Fact]
    public async Task Runs_are_listed_in_order_and_apart()
    {
        var store = CreateSut();
        await store.TryAppendAsync("run-b", 0, [Said("b")]);
        await store.TryAppendAsync("run-a", 0, [Said("a")]);

        (await store.ListRunsAsync()).ShouldBe(["run-a", "run-b"]);
        Reasons(await store.ReadAsync("run-b")).ShouldBe("1b");
    }

    [Theory]
    [InlineData("")]
    [InlineData("../up")]
    [InlineData(".hidden")]
    [InlineData("a/b")]
    public async Task A_name_that_is_no_file_name_is_refused(string run) =>
        await Should.ThrowAsync<UserErrorException>(() => CreateSut().TryAppendAsync(run, 0, [Said("a")]));

    [Fact]
    public async Task Of_16_racing_writers_each_place_has_one_owner_and_none_is_lost()
    {
        const int Writers = 16,
            Appends = 12;
        var stores = Enumerable.Range(0, Writers).Select(_ => CreateSut()).ToArray();

        await Task.WhenAll(
            stores.Select(
                (store, writer) =>
                    Task.Run(async () =>
                    {
                        long version = 0;
                        for (var append = 0; append < Appends; append++)
                        {
                            // Bursts of one to three events, so that ends of appends differ.
                            RunEvent[] burst =
                            [
                                .. Enumerable.Range(0, 1 + ((writer + append) % 3)).Select(part => Said($"{writer}.{append}.{part}")),
                            ];
                            while (!await store.TryAppendAsync("race", version, burst))
                            {
                                version = (await store.ReadAsync("race")).Count;
                            }

                            version += burst.Length;
                        }
                    })
            )
        );

        var stored = await stores[0].ReadAsync("race");
        stored.Select(one => one.Sequence).ShouldBe(Enumerable.Range(1, stored.Count).Select(sequence => (long)sequence));
        var expected =
            from writer in Enumerable.Range(0, Writers)
            from append in Enumerable.Range(0, Appends)
            from part in Enumerable.Range(0, 1 + ((writer + append) % 3))
            select $"{writer}.{append}.{part}";
        stored.Select(Reason).Order(StringComparer.Ordinal).ShouldBe(expected.Order(StringComparer.Ordinal));

        // One writer's events stand in its own order, and each burst stands together.
        var places = stored.ToDictionary(Reason, one => one.Sequence);
        foreach (var (reason, place) in places.Where(place => !place.Key.EndsWith(".0", StringComparison.Ordinal)))
        {
            var cut = reason.LastIndexOf('.') + 1;
            places[reason[..cut] + (int.Parse(reason[cut..], System.Globalization.CultureInfo.InvariantCulture) - 1)].ShouldBe(place - 1);
        }
    }

    protected static RunEvent Said(string reason) => new RunCancelRequested(reason) { At = At };

    private static string Reason(StoredEvent stored) => ((RunCancelRequested)stored.Event).Reason;

    private static string Reasons(IEnumerable<StoredEvent> events) =>
        string.Join(' ', events.Select(stored => stored.Sequence + Reason(stored)));
}
