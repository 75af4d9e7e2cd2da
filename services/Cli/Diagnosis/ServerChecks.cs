using ClipSae.Hosting.Bus;
using ClipSae.Hosting.Settings;
using ClipSae.ObjectStorage;
using ClipSae.Pipeline.Runs;

namespace ClipSae.Cli.Diagnosis;

/// <summary>Checks of the servers that the environment names; none where everything happens in one process.</summary>
internal static class ServerChecks
{
    /// <summary>The broker, then the bucket.</summary>
    public static async Task<IReadOnlyList<Finding>> RunAsync(ClipSaeOptions options, TimeProvider time, CancellationToken cancel)
    {
        var findings = new List<Finding>();
        if (options.IsDistributed)
        {
            findings.Add(
                await LookAsync("broker", $"{options.Broker} accepts user {options.Broker.User}", () =>
                    new BrokerTopology(options.Broker).RequireReachableAsync(time, cancel)
                )
            );
        }

        if (options.IsDistributed && findings[0].Grade is FindingGrade.Ok)
        {
            findings.Add(await WorkersAsync(new BrokerTopology(options.Broker), cancel));
        }

        if (options.UsesObjectStore)
        {
            using var store = new S3ObjectStore(options.S3, time);
            findings.Add(
                await LookAsync("bucket", $"{options.S3} can be written, conditional writes included", () =>
                    StoreProbe.RequireUsableAsync(store, cancel)
                )
            );
        }

        return findings;
    }

    private static async Task<Finding> WorkersAsync(BrokerTopology topology, CancellationToken cancel)
    {
        var stages = ParameterSections.All.Select(pair => pair.Stage).ToArray();
        var consumers = await topology.ConsumersAsync([QueueNames.Coordinator, .. stages], cancel);
        string[] missing = [.. consumers.Where(queue => queue.Value is null or 0).Select(queue => queue.Key)];
        return missing.Length == 0
            ? new Finding(
                "workers",
                FindingGrade.Ok,
                "every stage has one: "
                    + $"{string.Join(", ", stages.Select(stage => FormattableString.Invariant($"{stage} {consumers[stage]}")))}"
            )
            : new Finding(
                "workers",
                FindingGrade.Warn,
                $"no worker handles {string.Join(", ", missing)}",
                "start them; workers that scale with their queues start when units wait"
            );
    }

    private static async Task<Finding> LookAsync(string check, string sound, Func<Task> look)
    {
        try
        {
            await look();
            return new Finding(check, FindingGrade.Ok, sound);
        }
        catch (UserErrorException error)
        {
            return new Finding(check, FindingGrade.Fail, error.Message);
        }
    }
}
