namespace ClipSae.Pipeline.Tests;

/// <summary>What every store of signs must do. Each adapter runs it.</summary>
public abstract class RunSignsContract
{
    protected abstract IRunSigns CreateSut();

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
}
