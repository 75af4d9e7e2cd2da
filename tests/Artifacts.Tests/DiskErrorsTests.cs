namespace ClipSae.Artifacts.Tests;

public class DiskErrorsTests
{
    // errno of Linux as .NET hands it on: 28 ENOSPC, 30 EROFS, 5 EIO.
    [Theory]
    [InlineData(28, "disk full")]
    [InlineData(30, "mounted read-only")]
    public void A_disk_that_takes_nothing_is_one_line_that_names_the_path_and_is_not_tried_again(int error, string expected)
    {
        var refused = new IOException("refused", error);

        DiskErrors.IsLasting(refused).ShouldBeTrue();
        var message = DiskErrors.Explain(refused, "/data/scratch/x").ShouldNotBeNull().Message;
        message.ShouldContain(expected);
        message.ShouldContain("/data/scratch/x");
    }

    [Fact]
    public void A_disk_that_has_no_room_for_a_file_of_known_length_is_full_too()
    {
        // /dev/shm and the like are bounded; no disk has room for this much.
        var path = Path.Combine(Path.GetTempPath(), $"clipsae-test-{Guid.NewGuid():N}");
        var refused = Should.Throw<IOException>(() =>
            File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.None, preallocationSize: 1L << 50)
                .Dispose()
        );

        File.Delete(path);
        DiskErrors.IsLasting(refused).ShouldBeTrue(refused.Message);
        DiskErrors.Explain(refused, path, 1L << 50).ShouldNotBeNull().Message.ShouldStartWith("disk full while writing");
    }

    [Fact]
    public void Any_other_failure_may_pass() => DiskErrors.IsLasting(new IOException("gone for a moment", 5)).ShouldBeFalse();
}
