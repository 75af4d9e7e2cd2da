using System.Runtime.Versioning;
using ClipSae.TestKit.Commands;
using ClipSae.TestKit.Files;

namespace ClipSae.EndToEnd;

/// <summary>OpenMP itself shows the settings that it has read: they must be there before anything loads libtorch.</summary>
[SupportedOSPlatform("linux")]
public class IdleThreadsTests
{
    [Fact]
    public async Task OpenMP_has_read_how_idle_threads_wait()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "OpenMP is set up on Linux alone");
        using var folder = new TemporaryFolder();
        using var command = Command.Start(
            TinyDemo.Arguments(folder.Path),
            "unset OMP_WAIT_POLICY GOMP_SPINCOUNT KMP_BLOCKTIME",
            new Dictionary<string, string> { ["OMP_DISPLAY_ENV"] = "VERBOSE" }
        );

        (await command.SaysAsync("OPENMP DISPLAY ENVIRONMENT END")).ShouldBeTrue(command.Error);
        command.Signal(Command.Kill);

        command.Error.ShouldContain("OMP_WAIT_POLICY = 'ACTIVE'");
        command.Error.ShouldContain("GOMP_SPINCOUNT = '1000'");
    }
}
