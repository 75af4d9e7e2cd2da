using ClipSae.Artifacts;
using ClipSae.Pipeline.Coordination;
using ClipSae.Pipeline.Runs;

namespace ClipSae.Pipeline.Tests;

public class ReplayTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Outputs_of_many_units_are_asked_for_at_once_and_facts_keep_the_plans_order()
    {
        const int Units = 300;
        var state = Enumerable
            .Range(0, Units)
            .Aggregate(RunState.Empty.Apply(History.Start(History.Plan(Units, 1), Now)), (before, unit) =>
                before.Apply(History.Finished("s0", $"u{unit}", Now))
            );
        var store = new SlowStore("sha256:s0-u7");

        var facts = await Replay.TakeAsync(Replay.StagesBefore(state, "s1"), "origin", store, Now, default);

        facts.Select(fact => fact.Unit).ShouldBe(Enumerable.Range(0, Units).Where(unit => unit != 7).Select(unit => $"u{unit}"));
        store.MaxAtOnce.ShouldBeInRange(8, 64);
    }

    /// <summary>Knows every artifact but one, and takes its time to say so, as a store behind a network does.</summary>
    private sealed class SlowStore(string gone) : IArtifactStore
    {
        private readonly Lock _gate = new();
        private int _atOnce;

        public int MaxAtOnce { get; private set; }

        public async Task<long?> LengthAsync(string digest, CancellationToken cancel = default)
        {
            lock (_gate)
            {
                MaxAtOnce = Math.Max(MaxAtOnce, ++_atOnce);
            }

            await Task.Delay(20, cancel);
            lock (_gate)
            {
                _atOnce--;
            }

            return digest != gone ? 1 : null;
        }

        public Task<ArtifactRef> PutFileAsync(string path, string name, string mediaType, CancellationToken cancel = default) =>
            throw new NotSupportedException();

        public Task<ArtifactRef> TakeFileAsync(string path, string name, string mediaType, CancellationToken cancel = default) =>
            throw new NotSupportedException();

        public Task<ArtifactRef> PutBytesAsync(
            ReadOnlyMemory<byte> content,
            string name,
            string mediaType,
            CancellationToken cancel = default
        ) => throw new NotSupportedException();

        public Task<string> FetchAsync(ArtifactRef artifact, CancellationToken cancel = default) => throw new NotSupportedException();
    }
}
