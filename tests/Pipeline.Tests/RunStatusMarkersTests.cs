using ClipSae.Artifacts;
using ClipSae.Pipeline.Coordination;
using ClipSae.Pipeline.Runs;

namespace ClipSae.Pipeline.Tests;

public sealed class RunStatusMarkersTests
{
    private readonly MemoryObjectStore _objects = new(TimeProvider.System);

    [Fact]
    public async Task A_run_of_which_nothing_was_said_has_no_sign() => (await CreateSut().FindAsync("run")).ShouldBeNull();

    [Fact]
    public async Task The_last_sign_of_a_run_is_seen_by_every_process()
    {
        await CreateSut().SetAsync("run", RunStatus.Stopping);
        (await CreateSut().FindAsync("run")).ShouldBe(RunStatus.Stopping);
        await CreateSut().SetAsync("run", RunStatus.Failed);

        (await CreateSut().FindAsync("run")).ShouldBe(RunStatus.Failed);
        (await CreateSut().FindAsync("other")).ShouldBeNull();
    }

    [Fact]
    public async Task What_a_newer_version_wrote_stops_the_run()
    {
        await _objects.WriteAsync("runs/run/stopped", "frozen"u8.ToArray());

        (await CreateSut().FindAsync("run")).ShouldBe(RunStatus.Stopping);
    }

    private RunStatusMarkers CreateSut() => new(_objects);
}
