using ClipSae.FineTuning.Data;

namespace ClipSae.FineTuning.Tests;

public sealed class BatchOrderTests
{
    [Theory]
    [InlineData(12, 4)]
    [InlineData(10, 4)]
    [InlineData(3, 7)]
    [InlineData(1, 5)]
    public void Every_epoch_is_a_permutation(int count, int batch)
    {
        var order = new BatchOrder(count, batch, 3);
        // As many steps as bring both to an end at once.
        var seen = Enumerable.Range(0, count).SelectMany(step => order.Batch(step)).Chunk(count).ToArray();

        seen.Length.ShouldBe(batch);
        seen.ShouldAllBe(epoch => epoch.Order().SequenceEqual(Enumerable.Range(0, count)));
    }

    [Fact]
    public void Epochs_differ()
    {
        var order = new BatchOrder(50, 50, 3);

        order.Batch(0).ShouldNotBe(order.Batch(1));
    }

    [Fact]
    public void A_batch_follows_from_seed_purpose_and_step_alone()
    {
        var order = new BatchOrder(10, 4, 3);
        var forward = Enumerable.Range(0, 8).Select(step => order.Batch(step)).ToArray();

        foreach (var step in new[] { 7, 0, 3, 2, 6 })
        {
            order.Batch(step).ShouldBe(forward[step]);
            new BatchOrder(10, 4, 3).Batch(step).ShouldBe(forward[step]);
        }

        new BatchOrder(10, 10, 4).Batch(0).ShouldNotBe(new BatchOrder(10, 10, 3).Batch(0));
        new BatchOrder(10, 10, 3, "another").Batch(0).ShouldNotBe(new BatchOrder(10, 10, 3).Batch(0));
    }

    [Fact]
    public void Nothing_to_order_is_refused() => Should.Throw<ArgumentOutOfRangeException>(() => new BatchOrder(0, 4, 3));
}
