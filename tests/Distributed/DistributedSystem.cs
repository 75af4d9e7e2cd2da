using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using ClipSae.Pipeline.Runs;
using ClipSae.Servers;
using ClipSae.TestKit.Commands;
using ClipSae.TestKit.Files;

[assembly: AssemblyFixture(typeof(ClipSae.Distributed.DistributedSystem))]
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace ClipSae.Distributed;

/// <summary>Real servers and the real programs: two coordinators, two embedding workers, one worker of each other stage.</summary>
public sealed class DistributedSystem : IAsyncLifetime
{
    public const int DeliveryLimit = 6;
    public static readonly string HealthAddress = $"http://127.0.0.1:{FreePort.Next()}";
    private static readonly string[] Services =
    [
        "coordinator",
        "coordinator",
        ParameterSections.Extraction,
        ParameterSections.Extraction,
        ParameterSections.Sae,
        ParameterSections.Curation,
        ParameterSections.Tuning,
        ParameterSections.Conversion,
        ParameterSections.Evaluation,
        ParameterSections.Report,
    ];

    private readonly TemporaryFolder _folder = new();
    private Task<string>? _undisturbed;

    public Broker Broker { get; private set; } = null!;

    public ObjectServer Objects { get; private set; } = null!;

    internal TraceCollector Traces { get; } = new();

    internal IReadOnlyList<ServiceProcess> Processes { get; private set; } = [];

    internal Dictionary<string, string> Environment { get; private set; } = [];

    /// <summary>Digests of the run that one process did all by itself.</summary>
    internal SortedDictionary<string, string> EmbeddedDigests { get; private set; } = [];

    internal string Data => _folder.File("client");

    public async ValueTask InitializeAsync()
    {
        var starting = (
            Broker: Broker.StartAsync(),
            Objects: ObjectServer.StartAsync(),
            Embedded: Command.RunAsync(TinyDemo.Arguments(_folder.File("embedded")))
        );
        Broker = await starting.Broker;
        Objects = await starting.Objects;
        await Objects.MakeBucketAsync("clipsae");
        Environment = new Dictionary<string, string>
        {
            ["ClipSae__Bus"] = "rabbitmq",
            ["ClipSae__Store"] = "s3",
            ["ClipSae__Broker__Port"] = Broker.Port.ToString(CultureInfo.InvariantCulture),
            ["ClipSae__Broker__User"] = Broker.Submitter,
            ["ClipSae__Broker__PasswordFile"] = Broker.PasswordFile(Broker.Submitter),
            ["ClipSae__Broker__DeliveryLimit"] = DeliveryLimit.ToString(CultureInfo.InvariantCulture),
            ["ClipSae__S3__Endpoint"] = Objects.Endpoint,
            ["ClipSae__S3__AccessKey"] = Objects.AccessKey,
            ["ClipSae__S3__SecretKey"] = Objects.SecretKey,
            ["ClipSae__S3__CacheFolder"] = _folder.File("cache"),
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = Traces.Endpoint,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "2000",
            ["OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY"] = "in_memory", // a connection that has idled may be closed under the request
            ["OMP_NUM_THREADS"] = "1", // equal digests need equal thread counts
        };
        Processes =
        [
            .. Services.Select(
                (service, index) =>
                    NewProcess(service, $"{service}-{index}", index == 0 ? [("ClipSae__HealthAddress", HealthAddress + "/")] : [])
            ),
        ];
        foreach (var process in Processes)
        {
            process.Start();
        }

        foreach (var process in Processes)
        {
            await LogsAsync(process, "Application started", 1);
        }

        var embedded = await starting.Embedded;
        embedded.Code.ShouldBe(0, embedded.Error);
        EmbeddedDigests = await TinyDemo.DigestsAsync(_folder.File("embedded"), embedded.Json["runId"]!.GetValue<string>());
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in Processes)
        {
            process.Dispose();
        }

        Traces.Dispose();
        await Broker.DisposeAsync();
        await Objects.DisposeAsync();
        _folder.Dispose();
    }

    internal ServiceProcess NewProcess(string service, string name, params (string Variable, string Value)[] changes)
    {
        var user = service == "coordinator" ? Broker.Coordinator : Broker.Worker;
        var environment = new Dictionary<string, string>(Environment)
        {
            ["ClipSae__Broker__User"] = user,
            ["ClipSae__Broker__PasswordFile"] = Broker.PasswordFile(user),
        };
        foreach (var (variable, value) in changes)
        {
            environment[variable] = value;
        }

        return new ServiceProcess(service, name, _folder.Path, environment);
    }

    internal ServiceProcess Process(string service) => Processes.First(process => process.Service == service);

    /// <summary>Starts a run of the tiny demo's data that recomputes everything, and does not wait for it.</summary>
    internal async Task<Command> StartAfreshAsync()
    {
        var origin = await UndisturbedRunAsync();
        await ForgetResultsAsync();
        return Command.Start(["replay", origin, "--data", Data, "--json"], environment: Environment);
    }

    /// <summary>Runs a tiny demo that recomputes everything to its end; gives the run.</summary>
    internal async Task<string> RunAfreshAsync()
    {
        await ForgetResultsAsync();
        using var client = Command.Start(TinyDemo.Arguments(Data), environment: Environment);
        var result = await client.EndAsync();
        result.Code.ShouldBe(0, result.Error);
        return result.Json["runId"]!.GetValue<string>();
    }

    /// <summary>
    /// A complete run that nothing disturbed and that computed everything; the first who asks starts it, and the others take it as their
    /// origin.
    /// </summary>
    internal Task<string> UndisturbedRunAsync()
    {
        // A test that failed half-way may have left one stopped, and every run would wait for it.
        foreach (var process in Processes.Where(process => process.HasExited))
        {
            process.Start();
        }

        return _undisturbed ??= RunAfreshAsync();
    }

    /// <summary>Starts a run whose one arm is tuned for minutes, and does not wait for it.</summary>
    internal async Task<Command> StartLongTuningAsync() =>
        Command.Start(
            [
                "replay",
                await UndisturbedRunAsync(),
                "--from",
                "fine-tuning",
                "--set",
                "tuning.arms=[\"none\"]",
                "--set",
                "tuning.steps=5000",
                "--set",
                "tuning.checkpointInterval=5000",
                "--data",
                Data,
                "--json",
            ],
            environment: Environment
        );

    internal Task<CommandResult> ClientAsync(params string[] arguments) =>
        Command.RunAsync([.. arguments, "--data", Data, "--json"], environment: Environment);

    internal async Task<JsonArray> EventsAsync(string run) => (await ClientAsync("events", run)).Json["events"]!.AsArray();

    internal Task<SortedDictionary<string, string>> DigestsAsync(string run) => TinyDemo.DigestsAsync(Data, run, Environment);

    /// <summary>The name of the run that a client has just begun or goes on with.</summary>
    internal static async Task<string> RunOfAsync(Command client)
    {
        (await client.SaysAsync("run 2")).ShouldBeTrue(client.Error);
        // "run X", "run X replays Y".
        return client.Error[(client.Error.IndexOf("run 2", StringComparison.Ordinal) + "run ".Length)..].Split(' ', '\r', '\n')[0];
    }

    /// <summary>Waits until a process has logged a text once more than before.</summary>
    internal static async Task LogsAsync(ServiceProcess process, string text, int times)
    {
        var waited = Stopwatch.StartNew();
        while (process.Log.Split(text).Length - 1 < times)
        {
            waited.Elapsed.ShouldBeLessThan(TimeSpan.FromMinutes(5), $"{process.Name} has not said '{text}' {times} times:\n{process.Log}");
            await Task.Delay(50);
        }
    }

    /// <summary>Waits until metrics of these names and units have come; processes send theirs every few seconds.</summary>
    internal async Task ShouldHaveMetricsAsync(Dictionary<string, string> expected)
    {
        for (var look = 0; look < 150 && !expected.Keys.All(Traces.Metrics.ContainsKey); look++)
        {
            await Task.Delay(200);
        }

        foreach (var (name, unit) in expected)
        {
            Traces.Metrics.ShouldContainKey(name, string.Join(", ", Traces.Metrics.Keys));
            if (unit.Length > 0)
            {
                Traces.Metrics[name].ShouldBe(unit, name);
            }
        }
    }

    /// <summary>Asks a health endpoint until it answers with a status and a text; gives the answer.</summary>
    internal static async Task<string> HealthAsync(string address, HttpStatusCode status, string said)
    {
        using var http = new HttpClient();
        var last = "nothing";
        for (var look = 0; look < 600; look++)
        {
            try
            {
                using var answer = await http.GetAsync(address);
                last = await answer.Content.ReadAsStringAsync();
                if (answer.StatusCode == status && last.Contains(said, StringComparison.Ordinal))
                {
                    return last;
                }
            }
            catch (HttpRequestException)
            {
                // Not up yet.
            }

            await Task.Delay(100);
        }

        throw new TimeoutException($"{address} did not say {said} but {last}");
    }

    /// <summary>Puts the files of a folder into a bucket, which is made where it is missing.</summary>
    internal async Task BringAsync(string folder, string bucket, string prefix)
    {
        await Objects.MakeBucketAsync(bucket);
        using var store = Store(bucket);
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            await store.WriteAsync($"{prefix}/{Path.GetRelativePath(folder, file)}", await File.ReadAllBytesAsync(file));
        }
    }

    /// <summary>Names of what checkpoints are made of.</summary>
    internal async Task<HashSet<string>> CheckpointObjectsAsync()
    {
        using var store = Store("clipsae");
        return [.. (await store.ListAsync("checkpoints/")).Select(found => found.Key)];
    }

    /// <summary>Removes results and checkpoints, so that everything is computed again; events and artifacts stay.</summary>
    internal async Task ForgetResultsAsync()
    {
        using var store = Store("clipsae");
        foreach (var prefix in new[] { "stages/", "checkpoints/" })
        {
            foreach (
                var found in (await store.ListAsync(prefix)).Where(found =>
                    !found.Key.StartsWith("stages/defaults/", StringComparison.Ordinal)
                    && !found.Key.StartsWith("stages/versions/", StringComparison.Ordinal)
                )
            )
            {
                await store.RemoveAsync(found.Key);
            }
        }
    }

    private ObjectStorage.S3ObjectStore Store(string bucket) =>
        new(
            new ObjectStorage.ObjectStorageOptions
            {
                Endpoint = Objects.Endpoint,
                Bucket = bucket,
                AccessKey = Objects.AccessKey,
                SecretKey = Objects.SecretKey,
            },
            TimeProvider.System
        );
}
