using System.Globalization;
using ClipSae.EndToEnd;

namespace ClipSae.Distributed;

public sealed class DisturbanceTests(DistributedSystem system)
{
    private static readonly int Kills = int.Parse(System.Environment.GetEnvironmentVariable("CLIPSAE_KILLS") ?? "20", CultureInfo.InvariantCulture);
    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Killed_again_and_again_at_random_moments_every_run_completes_with_the_same_digests()
    {
        var random = new Random(20261124);
        for (var kills = 0; kills < Kills;)
        {
            using var client = await system.StartAfreshAsync();
            var run = await DistributedSystem.RunOfAsync(client);
            while (!client.HasExited)
            {
                await Task.Delay(random.Next(500, 2_500));
                if (kills < Kills && !client.HasExited)
                {
                    var victim = system.Processes[random.Next(system.Processes.Count)];
                    await victim.KillAsync();
                    victim.Start();
                    kills++;
                }
            }

            await ShouldBeUndisturbedAsync(client, run);
        }
    }

    [Fact]
    public async Task Without_the_broker_for_half_a_minute_the_run_completes()
    {
        using var client = await system.StartAfreshAsync();
        var run = await DistributedSystem.RunOfAsync(client);
        await DistributedSystem.LogsAsync(system.Process("SaeTraining"), $"{run}: sae-training/", 1);
        await system.Broker.PauseAsync();
        await Task.Delay(Outage);
        await system.Broker.ResumeAsync();

        await ShouldBeUndisturbedAsync(client, run);
    }

    [Fact]
    public async Task Without_the_object_store_for_half_a_minute_the_run_completes()
    {
        using var client = await system.StartAfreshAsync();
        var run = await DistributedSystem.RunOfAsync(client);
        await DistributedSystem.LogsAsync(system.Process("SaeTraining"), $"{run}: sae-training/", 1);
        await system.Objects.PauseAsync();
        await Task.Delay(Outage);
        await system.Objects.ResumeAsync();

        await ShouldBeUndisturbedAsync(client, run);
    }

    [Fact]
    public async Task A_unit_whose_worker_always_dies_is_set_aside_and_the_run_says_so()
    {
        using var client = await system.StartAfreshAsync();
        var run = await DistributedSystem.RunOfAsync(client);
        var training = system.Process("SaeTraining");
        for (var death = 1; death <= DistributedSystem.DeliveryLimit + 1; death++)
        {
            await DistributedSystem.LogsAsync(training, $"{run}: sae-training/", death);
            await training.KillAsync();
            training.Start();
        }

        var failed = await client.EndAsync();
        failed.Code.ShouldBe(1);
        failed.Error.ShouldContain("sae-training/mlp@0 failed: set aside after");
        (await system.Broker.PeekAsync("dead-letters")).ShouldContain(message => message.Text.Contains(run, StringComparison.Ordinal));
        var retried = await system.ClientAsync("retry", run);
        retried.Code.ShouldBe(0, retried.Error);
        (await system.DigestsAsync(retried.Json["runId"]!.GetValue<string>())).ShouldBe(system.EmbeddedDigests);
    }

    [Fact]
    public async Task A_worker_that_is_told_to_stop_leaves_its_unit_to_the_next()
    {
        using var client = await system.StartAfreshAsync();
        var run = await DistributedSystem.RunOfAsync(client);
        var tuning = system.Process("FineTuning");
        await DistributedSystem.LogsAsync(tuning, $"{run}: fine-tuning/", 1);

        (await tuning.StopAsync()).ShouldBe(0, tuning.Log);
        tuning.Start();

        await ShouldBeUndisturbedAsync(client, run);
    }

    private async Task ShouldBeUndisturbedAsync(Command client, string run)
    {
        var result = await client.EndAsync();
        result.Code.ShouldBe(0, result.Error);
        (await system.DigestsAsync(run)).ShouldBe(system.EmbeddedDigests);
        var facts = (await system.EventsAsync(run)).Select(stored => stored!["event"]!).Where(happened => happened["type"]!.GetValue<string>() == "unit-finished/1")
            .Select(happened => $"{happened["stage"]}/{happened["unit"]}").ToArray();
        facts.ShouldBeUnique();
        facts.Length.ShouldBe(9);
    }
}
