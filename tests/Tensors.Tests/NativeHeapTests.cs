using TorchSharp;

namespace ClipSae.Tensors.Tests;

public class NativeHeapTests
{
    private const int Block = 8 << 20;
    private const int Blocks = 64;

    [Fact]
    public void Memory_that_was_freed_between_other_blocks_goes_back_once_it_is_a_lot()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "other systems' C libraries are left as they are");
        Compute.Device("cpu");
        var (large, small) = (new List<torch.Tensor>(), new List<torch.Tensor>());
        for (var i = 0; i < Blocks; i++)
        {
            large.Add(torch.ones(Block / sizeof(float)));
            small.Add(torch.ones(1024));
        }

        large.ForEach(block => block.Dispose());
        var kept = Environment.WorkingSet;

        NativeHeap.TrimOnceGrown(long.MaxValue / 2);
        Environment.WorkingSet.ShouldBeGreaterThan(kept - (Blocks * Block / 2), "It has not grown by so much.");

        NativeHeap.TrimOnceGrown(0);
        Environment.WorkingSet.ShouldBeLessThan(kept - (Blocks * Block / 2));
        small.ForEach(block => block.Dispose());
    }
}
