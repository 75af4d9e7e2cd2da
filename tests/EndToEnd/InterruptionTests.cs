using System.Security.Cryptography;
using ClipSae.TestKit.Commands;
using ClipSae.TestKit.Files;

namespace ClipSae.EndToEnd;

public sealed class InterruptionTests(DemoRun undisturbed) : IClassFixture<DemoRun>
{
    private const int Kills = 20;

    [Theory]
    [InlineData(Command.Interrupt)]
    [InlineData(Command.Terminate)]
    public async Task A_signal_stops_cleanly_and_the_same_command_goes_on_to_the_same_digests(int signal)
    {
        using var folder = new TemporaryFolder();
        using var command = Command.Start(TinyDemo.Arguments(folder.Path));
        (await command.SaysAsync("embedding-extraction: ")).ShouldBeTrue(command.Error);
        command.Signal(signal);
        var stopped = await command.EndAsync();

        stopped.ShouldRefuse(1, "stopped; run", "run the same command again");
        var resumed = await Command.RunAsync(TinyDemo.Arguments(folder.Path));
        resumed.Code.ShouldBe(0, resumed.Error);
        resumed.Error.ShouldContain("continuing run");
        (await TinyDemo.DigestsAsync(folder.Path, resumed.Json["runId"]!.GetValue<string>())).ShouldBe(undisturbed.Digests);
    }

    [Fact]
    public async Task A_signal_to_a_command_without_a_run_says_that_it_begins_anew()
    {
        using var folder = new TemporaryFolder();
        using var command = Command.Start(["make-dataset", folder.File("world")]);
        (await command.SaysAsync("images drawn")).ShouldBeTrue(command.Error);
        command.Signal(Command.Interrupt);

        (await command.EndAsync()).ShouldRefuse(1, "stopped before its end; the same command starts again");
    }

    [Fact]
    public async Task Killed_at_twenty_random_moments_the_run_ends_with_the_digests_of_an_undisturbed_one()
    {
        var random = new Random(20261124);
        var kills = 0;
        while (kills < Kills)
        {
            using var folder = new TemporaryFolder();
            CommandResult? finished = null;
            while (finished is null)
            {
                using var command = Command.Start(TinyDemo.Arguments(folder.Path));
                if (kills < Kills)
                {
                    await Task.Delay(TimeSpan.FromSeconds(random.NextDouble() * undisturbed.Took.TotalSeconds * 0.6));
                    if (!command.HasExited)
                    {
                        command.Signal(Command.Kill);
                        await command.EndAsync();
                        kills++;
                        continue;
                    }
                }

                finished = await command.EndAsync();
            }

            finished.Code.ShouldBe(0, finished.Error);
            (await TinyDemo.DigestsAsync(folder.Path, finished.Json["runId"]!.GetValue<string>())).ShouldBe(undisturbed.Digests);
            EveryBlobIsWhole(folder.Path);
        }
    }

    [Fact]
    public async Task A_second_demo_takes_everything_from_the_store()
    {
        var again = await Command.RunAsync(TinyDemo.Arguments(undisturbed.Data));

        again.Code.ShouldBe(0, again.Error);
        var computed = again.Json["stages"]!
            .AsArray()
            .Where(stage => stage!["cache"]!.GetValue<string>() != "hit")
            .Select(stage => stage!["stage"]!.GetValue<string>());
        computed.ShouldBe(["report"]);
    }

    [Fact]
    public async Task A_replay_computes_only_what_its_change_touches()
    {
        var replay = await Command.RunAsync([
            "replay",
            undisturbed.Run,
            "--from",
            "evaluation",
            "--set",
            "evaluation.resamples=1100",
            "--data",
            undisturbed.Data,
            "--threads",
            "1",
            "--json",
        ]);

        replay.Code.ShouldBe(0, replay.Error);
        var computed = replay.Json["stages"]!
            .AsArray()
            .Where(stage => stage!["cache"]!.GetValue<string>() == "miss")
            .Select(stage => stage!["stage"]!.GetValue<string>());
        computed.ShouldBe(["zero-shot-evaluation", "report"]);
    }

    [Fact]
    public async Task A_replay_of_a_run_that_is_stored_under_former_names_of_parameters_finds_its_results()
    {
        using var folder = new TemporaryFolder();
        CopyTree(undisturbed.Data, folder.Path);
        var log = folder.File("runs", undisturbed.Run, "events", "00000001.json");
        var former = new Dictionary<string, string>
        {
            ["\"learningRates\":"] = "\"rates\":",
            ["\"warmUpSteps\":"] = "\"warmupSteps\":",
            ["\"minFooled\":"] = "\"leastFooled\":",
            ["\"batchSize\":0"] = "\"batch\":0",
            ["\"imageSide\":"] = "\"pictureSide\":",
        };
        var text = await File.ReadAllTextAsync(log);
        former.Keys.ShouldAllBe(name => text.Contains(name));
        await File.WriteAllTextAsync(log, former.Aggregate(text, (written, name) => written.Replace(name.Key, name.Value)));

        var replay = await Command.RunAsync([
            "replay",
            undisturbed.Run,
            "--from",
            "tuning",
            "--data",
            folder.Path,
            "--threads",
            "1",
            "--json",
        ]);

        replay.Code.ShouldBe(0, replay.Error);
        replay.Json["stages"]!
            .AsArray()
            .Where(stage => stage!["cache"]!.GetValue<string>() != "hit")
            .Select(stage => stage!["stage"]!.GetValue<string>())
            .ShouldBe(["report"]);
    }

    [Fact]
    public void The_demo_answers_with_one_json_object_that_holds_every_promised_member()
    {
        var json = undisturbed.Result.Json;

        File.Exists(json["report"]!.GetValue<string>()).ShouldBeTrue();
        foreach (var model in new[] { "base", "tuned" })
        {
            foreach (var score in new[] { "clean", "attacked", "attackSuccess" })
            {
                json[model]![score]!.GetValue<double>().ShouldBeInRange(0, 1);
            }
        }

        json["arms"]!.AsArray().Select(arm => arm!["name"]!.GetValue<string>()).ShouldBe(["none", "penalise"], ignoreOrder: true);
        json["stages"]!.AsArray().Select(stage => stage!["stage"]!.GetValue<string>()).Distinct().Count().ShouldBe(7);
    }

    private static void CopyTree(string from, string to)
    {
        foreach (var path in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(to, Path.GetRelativePath(from, path));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(path, copy);
        }
    }

    private static void EveryBlobIsWhole(string data)
    {
        foreach (
            var blob in Directory
                .GetFiles(Path.Combine(data, "blobs", "sha256"), "*", SearchOption.AllDirectories)
                .Where(path => Path.GetFileName(path).Length == 64)
        )
        {
            Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(blob))).ShouldBe(Path.GetFileName(blob));
        }
    }
}
