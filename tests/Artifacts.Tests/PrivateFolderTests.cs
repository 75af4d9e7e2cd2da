using System.Runtime.Versioning;
using ClipSae.TestKit.Files;

namespace ClipSae.Artifacts.Tests;

[UnsupportedOSPlatform("windows")]
public class PrivateFolderTests
{
    [Fact]
    public void Temporary_files_of_a_process_are_its_owners_alone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows keeps rights in another way");
        using var folder = new TemporaryFolder();
        using var scratch = new ProcessScratch(folder.Path);

        scratch.NewFolder();

        File.GetUnixFileMode(folder.File("scratch")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
