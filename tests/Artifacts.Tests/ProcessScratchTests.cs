using ClipSae.TestKit.Files;

namespace ClipSae.Artifacts.Tests;

public sealed class ProcessScratchTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_a_killed_process_left_is_removed_and_what_a_live_one_uses_stays()
    {
        using var live = new ProcessScratch(_folder.Path);
        var used = live.NewFolder();
        var abandoned = Directory.CreateDirectory(_folder.File("scratch", "4711-dead")).FullName;
        File.WriteAllText(Path.Combine(abandoned, "lock"), "");
        File.WriteAllText(Path.Combine(abandoned, "half-written"), "x");

        using var next = new ProcessScratch(_folder.Path);
        next.NewFolder();

        Directory.Exists(used).ShouldBeTrue();
        Directory.Exists(abandoned).ShouldBeFalse();
    }

    [Fact]
    public void Nothing_stays_after_the_process()
    {
        using (var scratch = new ProcessScratch(_folder.Path))
        {
            File.WriteAllText(Path.Combine(scratch.NewFolder(), "x"), "x");
        }

        Directory.GetDirectories(_folder.File("scratch")).ShouldBeEmpty();
    }
}
