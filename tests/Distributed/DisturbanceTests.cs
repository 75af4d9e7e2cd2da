using System.Diagnostics;
using System.Globalization;
using System.Net;
using ClipSae.Pipeline.Runs;
using ClipSae.TestKit.Commands;

namespace ClipSae.Distributed;

public sealed class DisturbanceTests(DistributedSystem system, ITestOutputHelper output)
{
    private static readonly int Kills = Given("CLIPSAE_KILLS", 20);
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(Given("CLIPSAE_KILL_MINUTES", 20));

    // Each process three times: a unit that loses more workers than the delivery limit is rightly set aside.
    private const int MaxInRun = 30;
    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Killed_again_and_again_at_random_moments_every_run_completes_with_the_same_digests()
    {
        var random = new Random(20261124);
        var killed = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var started = Stopwatch.GetTimestamp();
        var next = new Queue<ServiceProcess>();
        var runs = 0;
        for (var kills = 0; kills < Kills; runs++)
        {
            Stopwatch.GetElapsedTime(started).ShouldBeLessThan(Timeout, $"{kills} kills in {runs} runs are all there was time for");
            using var client = await system.StartAfreshAsync();
            var run = await DistributedSystem.RunOfAsync(client);
            var inRun = 0;
            while (!client.HasExited)
            {
                await Task.Delay(random.Next(500, 2_500));
                if (kills < Kills && inRun < MaxInRun && !client.HasExited)
                {
                    inRun++;
                    var victim = Victim(next, random);
                    await victim.KillAsync();
                    victim.Start();
                    kills++;
                    killed[victim.Service] = killed.GetValueOrDefault(victim.Service) + 1;
                }
            }

            await ShouldBeUndisturbedAsync(client, run);
            output.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{kills} kills, {runs + 1} runs complete, {Stopwatch.GetElapsedTime(started).TotalMinutes:F1} min"
                )
            );
        }

        output.WriteLine($"kills by kind: {string.Join(", ", killed.Select(kind => $"{kind.Key} {kind.Value}"))}");
        killed.Keys.ShouldBe(system.Processes.Select(process => process.Service).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Without_the_broker_for_half_a_minute_the_run_completes()
    {
        using var client = await system.StartAfreshAsync();
        var run = await DistributedSystem.RunOfAsync(client);
        await DistributedSystem.LogsAsync(system.Process(ParameterSections.Sae), $"{run}: sae-training/", 1);
        await OutageAsync(system.Broker.PauseAsync, system.Broker.ResumeAsync, "consumers: Unhealthy");

        await ShouldBeUndisturbedAsync(client, run);
    }

    [Fact]
    public async Task Without_the_object_store_for_half_a_minute_the_run_completes()
    {
        using var client = await system.StartAfreshAsync();
        var run = await DistributedSystem.RunOfAsync(client);
        await DistributedSystem.LogsAsync(system.Process(ParameterSections.Sae), $"{run}: sae-training/", 1);
        await OutageAsync(system.Objects.PauseAsync, system.Objects.ResumeAsync, "store: Unhealthy");

        await ShouldBeUndisturbedAsync(client, run);
    }

    [Fact]
    public async Task A_unit_whose_worker_always_dies_is_set_aside_its_run_says_so_and_another_goes_on()
    {
        var origin = await system.UndisturbedRunAsync();
        using var client = await system.StartAfreshAsync();
        using var other = Command.Start(
            ["replay", origin, "--from", "evaluation", "--set", "evaluation.resamples=1300", "--data", system.Data, "--json"],
            environment: system.Environment
        );
        var run = await DistributedSystem.RunOfAsync(client);
        var training = system.Process(ParameterSections.Sae);
        var begins = 0;
        for (var death = 1; death <= DistributedSystem.DeliveryLimit + 1; death++)
        {
            await DistributedSystem.LogsAsync(training, $"{run}: sae-training/", ++begins);
            if (death == 3)
            {
                // A worker that gives the unit back does not count, and does not make the earlier ones forgotten.
                (await training.StopAsync()).ShouldBe(0, training.Log);
                training.Start();
                await DistributedSystem.LogsAsync(training, $"{run}: sae-training/", ++begins);
            }

            await training.KillAsync();
            training.Start();
        }

        var failed = await client.EndAsync();
        failed.Code.ShouldBe(1);
        failed.Error.ShouldContain("sae-training/mlp@0 failed: set aside after");
        var unharmed = await other.EndAsync();
        unharmed.Code.ShouldBe(0, unharmed.Error);
        (await system.Broker.PeekAsync("dead-letters")).ShouldContain(message => message.Text.Contains(run, StringComparison.Ordinal));
        // The worker that was asked to stop had been given the unit again, and sends its last metrics before it ends. One that is killed
        // may not.
        await system.ShouldHaveMetricsAsync(
            new Dictionary<string, string> { ["clipsae.redeliveries"] = "{unit}", ["clipsae.units.dead"] = "{unit}" }
        );
        var retried = await system.ClientAsync("retry", run);
        retried.Code.ShouldBe(0, retried.Error);
        (await system.DigestsAsync(retried.Json["runId"]!.GetValue<string>())).ShouldBe(system.EmbeddedDigests);
    }

    [Fact]
    public async Task A_worker_that_is_told_to_stop_leaves_its_unit_to_the_next_which_goes_on_where_it_was()
    {
        // Long enough to be stopped in the middle, and without checkpoints of its own accord.
        var origin = await system.UndisturbedRunAsync();
        using var client = Command.Start(
            [
                "replay",
                origin,
                "--from",
                "fine-tuning",
                "--set",
                "tuning.arms=[\"none\"]",
                "--set",
                "tuning.steps=200",
                "--set",
                "tuning.checkpointInterval=1000",
                "--data",
                system.Data,
                "--json",
            ],
            environment: system.Environment
        );
        var run = await DistributedSystem.RunOfAsync(client);
        var tuning = system.Process(ParameterSections.Tuning);
        var before = await system.CheckpointObjectsAsync();
        var after = before;
        for (var (stop, seconds) = (1, 3); after.IsSubsetOf(before); stop++, seconds *= 2)
        {
            // On a slow machine a worker may not have got to its first step: it leaves nothing then, and the next is given more time.
            stop.ShouldBeLessThan(5, tuning.Log);
            await DistributedSystem.LogsAsync(tuning, $"{run}: fine-tuning/", stop);
            await Task.Delay(TimeSpan.FromSeconds(seconds));
            (await tuning.StopAsync()).ShouldBe(0, tuning.Log);
            after = await system.CheckpointObjectsAsync();
            tuning.Start();
        }

        var result = await client.EndAsync();
        result.Code.ShouldBe(0, result.Error);
        tuning.Log.ShouldContain(" continues from the checkpoint of step ");
        var verified = await system.ClientAsync("replay", run, "--from", "fine-tuning", "--verify");
        verified.Code.ShouldBe(0, verified.Error);
    }

    /// <summary>Every process once in a random order, then again: each kind is killed as often as any other.</summary>
    private ServiceProcess Victim(Queue<ServiceProcess> next, Random random)
    {
        if (next.Count == 0)
        {
            var order = system.Processes.ToArray();
            random.Shuffle(order);
            foreach (var process in order)
            {
                next.Enqueue(process);
            }
        }

        return next.Dequeue();
    }

    /// <summary>Half a minute without a server, in which processes live and say that they are not ready.</summary>
    private static async Task OutageAsync(Func<Task> pause, Func<Task> resume, string said)
    {
        await pause();
        try
        {
            var outage = Task.Delay(Outage);
            await DistributedSystem.HealthAsync(DistributedSystem.HealthAddress + "/ready", HttpStatusCode.ServiceUnavailable, said);
            await DistributedSystem.HealthAsync(DistributedSystem.HealthAddress + "/live", HttpStatusCode.OK, "live");
            await outage;
        }
        finally
        {
            await resume();
        }

        await DistributedSystem.HealthAsync(DistributedSystem.HealthAddress + "/ready", HttpStatusCode.OK, "store: Healthy");
    }

    private static int Given(string variable, int otherwise) =>
        System.Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text
            ? int.Parse(text, CultureInfo.InvariantCulture)
            : otherwise;

    private async Task ShouldBeUndisturbedAsync(Command client, string run)
    {
        var result = await client.EndAsync();
        result.Code.ShouldBe(0, result.Error);
        (await system.DigestsAsync(run)).ShouldBe(system.EmbeddedDigests);
        var facts = (await system.EventsAsync(run))
            .Select(stored => stored!["event"]!)
            .Where(happened => happened["type"]!.GetValue<string>() == "unit-finished/1")
            .Select(happened => $"{happened["stage"]}/{happened["unit"]}")
            .ToArray();
        facts.ShouldBeUnique();
        facts.Length.ShouldBe(9);
    }
}
