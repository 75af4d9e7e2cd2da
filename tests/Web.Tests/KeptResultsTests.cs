using ClipSae.Pipeline.Stages;
using ClipSae.Results;
using ClipSae.Results.Extraction;
using ClipSae.Web.Atlas;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClipSae.Web.Tests;

public sealed class KeptResultsTests
{
    private static readonly StageKeyParts Parts = new("kept", 1, [], new Dictionary<string, string>());

    [Fact]
    public async Task What_is_stopped_keeps_nothing_and_can_be_asked_for_again()
    {
        await using var served = await ServedRuns.StartAsync();
        using var turn = new SemaphoreSlim(1, 1);
        await using var kept = new KeptResults<ShardImages>(
            served.Runtime,
            ResultFormats.ShardImages,
            turn,
            TimeProvider.System,
            NullLogger.Instance
        );
        kept.Start(Parts, "run", "unit", async (progress, cancel) =>
        {
            progress(0.25);
            await Task.Delay(Timeout.Infinite, cancel);
            throw new InvalidOperationException("it goes on without end");
        });
        while ((await kept.FindAsync(Parts, CancellationToken.None)).Done is not 0.25)
        {
            await Task.Delay(5);
        }

        await kept.StopAsync(Parts);

        (await kept.FindAsync(Parts, CancellationToken.None)).ShouldBe(
            new KeptResults<ShardImages>.Standing(null, null, "stopped before its end")
        );
        (await served.Runtime.Results.FindAsync(Parts.Key())).ShouldBeNull();
        kept.Start(Parts, "run", "unit", (_, _) => Task.FromResult(new ShardImages(["a"], [])));
        while ((await kept.FindAsync(Parts, CancellationToken.None)).Value is null)
        {
            await Task.Delay(5);
        }

        (await served.Runtime.Results.FindAsync(Parts.Key()))!
            .Outputs.Values.Single()
            .MediaType.ShouldBe(ResultFormats.ShardImages.MediaType);
    }

    [Fact]
    public async Task A_failure_is_told_and_the_next_one_has_its_turn()
    {
        await using var served = await ServedRuns.StartAsync();
        using var turn = new SemaphoreSlim(1, 1);
        await using var kept = new KeptResults<ShardImages>(
            served.Runtime,
            ResultFormats.ShardImages,
            turn,
            TimeProvider.System,
            NullLogger.Instance
        );
        kept.Start(Parts, "run", "unit", (_, _) => throw new Contracts.UserErrorException("the shard is torn"));
        KeptResults<ShardImages>.Standing standing;
        while ((standing = await kept.FindAsync(Parts, CancellationToken.None)).Problem is null)
        {
            await Task.Delay(5);
        }

        standing.Problem.ShouldBe("the shard is torn");
        turn.CurrentCount.ShouldBe(1);
    }
}
