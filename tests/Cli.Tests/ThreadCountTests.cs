using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.Cli.Tests;

/// <summary>Here, where no tests run side by side: the thread count is the process's own.</summary>
public sealed class ThreadCountTests
{
    // By asking for a device, as before computing, or for the count, as for the key of a result.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_thread_that_computed_before_takes_the_count_that_was_set_since(bool byDevice)
    {
        var before = Compute.Threads;
        Compute.UseThreads(2);
        using var asked = new SemaphoreSlim(0);
        using var first = new SemaphoreSlim(0);
        var counts = new List<int>();
        var thread = Task.Factory.StartNew(
            () =>
            {
                using var tensor = torch.ones(8, 8);
                using var product = tensor.mm(tensor);
                counts.Add(Compute.Threads);
                first.Release();
                asked.Wait(TestContext.Current.CancellationToken);
                if (byDevice)
                {
                    Compute.Device("cpu");
                }

                counts.Add(byDevice ? torch.get_num_threads() : Compute.Threads);
            },
            TestContext.Current.CancellationToken,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default
        );
        await first.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            Compute.UseThreads(3);
            asked.Release();
            await thread;

            counts.ShouldBe([2, 3]);
        }
        finally
        {
            Compute.UseThreads(before);
        }
    }
}
