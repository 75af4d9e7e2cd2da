using ClipSae.TestKit.Files;
using ClipSae.ZeroShotEvaluation.Sets;

namespace ClipSae.ZeroShotEvaluation.Tests;

public sealed class PixelStoreTests
{
    [Fact]
    public void What_memory_does_not_hold_comes_back_from_the_scratch_file_which_is_removed()
    {
        using var folder = new TemporaryFolder();
        using (var store = new PixelStore(imageBytes: 4, memoryBytes: 8, folder.Path))
        {
            Parallel.For(0, 6, row => store.Write(row, [(byte)row, 1, 2, 3]));
            var pixels = new byte[12];
            store.Read([5, 0, 3], pixels);

            pixels.ShouldBe([5, 1, 2, 3, 0, 1, 2, 3, 3, 1, 2, 3]);
            Directory.GetFiles(folder.Path).Length.ShouldBe(1);
        }

        Directory.GetFiles(folder.Path).ShouldBeEmpty();
    }
}
