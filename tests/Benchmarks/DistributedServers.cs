using System.Diagnostics;
using System.Globalization;
using ClipSae.Hosting.Service;
using ClipSae.Hosting.Settings;
using ClipSae.ObjectStorage;
using ClipSae.Pipeline.Runs;
using ClipSae.Servers;
using Microsoft.Extensions.DependencyInjection;

namespace ClipSae.Benchmarks;

/// <summary>A real broker, a real object store, a client, and programs of the system as processes of their own.</summary>
internal sealed class DistributedServers : IAsyncDisposable
{
    private readonly List<Process> _programs = [];
    private readonly Broker _broker;
    private readonly ObjectServer _server;

    private DistributedServers(Broker broker, ObjectServer server)
    {
        (_broker, _server) = (broker, server);
        Options = new ClipSaeOptions
        {
            Bus = "rabbitmq",
            Store = "s3",
            DataFolder = Path.Combine(Folder, "client"),
            Broker = new BrokerOptions
            {
                Port = broker.Port,
                User = Broker.Operator,
                PasswordFile = broker.PasswordFile(Broker.Operator),
            },
            S3 = new ObjectStorageOptions
            {
                Endpoint = server.Endpoint,
                AccessKey = server.AccessKey,
                SecretKey = server.SecretKey,
                CacheFolder = Path.Combine(Folder, "cache"),
            },
        };
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("distributed-benchmark").FullName;

    /// <summary>How to reach the servers.</summary>
    public ClipSaeOptions Options { get; }

    public static async Task<DistributedServers> StartAsync()
    {
        var starting = (Broker: Broker.StartAsync(), Server: ObjectServer.StartAsync());
        try
        {
            await Task.WhenAll(starting.Broker, starting.Server);
        }
        catch
        {
            // The other may be up by now.
            await (starting.Broker.IsCompletedSuccessfully ? (await starting.Broker).DisposeAsync() : default);
            await (starting.Server.IsCompletedSuccessfully ? (await starting.Server).DisposeAsync() : default);
            throw;
        }

        var servers = new DistributedServers(await starting.Broker, await starting.Server);
        await servers._server.MakeBucketAsync("clipsae");
        return servers;
    }

    /// <summary>Runs a service in this process, beside the client; it ends with the benchmark.</summary>
    public void StartHere(int unitsAtOnce, Action<IServiceCollection> configure)
    {
        foreach (var (variable, value) in Settings(unitsAtOnce))
        {
            Environment.SetEnvironmentVariable(variable, value);
        }

        _ = ServiceHost.RunAsync("benchmark", [], configure);
    }

    /// <summary>Starts one of the system's programs, limited to one thread of computation, and waits until it is ready.</summary>
    /// <param name="core">The one core it may use; any when null.</param>
    public async Task StartProgramAsync(string program, IReadOnlyList<string> arguments, int? core = null)
    {
        var health = $"http://127.0.0.1:{FreePort.Next()}/";
        var start = OnCore(core, program, arguments);
        foreach (var (variable, value) in Settings(unitsAtOnce: 1))
        {
            start.Environment[variable] = value;
        }

        start.Environment["OMP_NUM_THREADS"] = "1";
        start.Environment["ClipSae__DataFolder"] = Path.Combine(
            Folder,
            $"{program}-{_programs.Count.ToString(CultureInfo.InvariantCulture)}"
        );
        start.Environment["ClipSae__HealthAddress"] = health;
        var process = Process.Start(start)!;
        process.BeginOutputReadLine();
        _programs.Add(process);
        using var http = new HttpClient();
        for (var look = 0; look < 600; look++)
        {
            try
            {
                using var answer = await http.GetAsync(health + "ready");
                if (answer.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not up yet.
            }

            await Task.Delay(100);
        }

        throw new TimeoutException($"{program} did not become ready");
    }

    /// <summary>How one of the programs here is started, on one core (<c>taskset</c>) or on any.</summary>
    public static ProcessStartInfo OnCore(int? core, string program, IReadOnlyList<string> arguments)
    {
        var path = Path.Combine(AppContext.BaseDirectory, program);
        return core is { } only
            ? new ProcessStartInfo("taskset", ["-c", only.ToString(CultureInfo.InvariantCulture), path, .. arguments])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            }
            : new ProcessStartInfo(path, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true };
    }

    public DistributedRuntime OpenClient(Action<IServiceCollection> configure) => DistributedRuntime.Create(Options, configure);

    /// <summary>Runs a plan to its end.</summary>
    public static async Task<RunState> RunAsync(DistributedRuntime client, RunPlan plan, IReadOnlyDictionary<string, ArtifactRef> inputs)
    {
        var state = await client.WaitAsync(await client.SubmitAsync(new RunSpec(inputs, []), plan));
        return state.Status == RunStatus.Completed
            ? state
            : throw new InvalidOperationException($"the run ended {state.Status}: {state.FirstFailure()?.Reason}");
    }

    private Dictionary<string, string> Settings(int unitsAtOnce) =>
        new()
        {
            ["ClipSae__Bus"] = "rabbitmq",
            ["ClipSae__Store"] = "s3",
            ["ClipSae__DataFolder"] = Folder,
            ["ClipSae__UnitsAtOnce"] = unitsAtOnce.ToString(CultureInfo.InvariantCulture),
            ["ClipSae__Broker__Port"] = _broker.Port.ToString(CultureInfo.InvariantCulture),
            ["ClipSae__Broker__User"] = Broker.Operator,
            ["ClipSae__Broker__PasswordFile"] = _broker.PasswordFile(Broker.Operator),
            ["ClipSae__S3__Endpoint"] = _server.Endpoint,
            ["ClipSae__S3__AccessKeyFile"] = _server.AccessKeyFile,
            ["ClipSae__S3__SecretKeyFile"] = _server.SecretKeyFile,
            ["Logging__LogLevel__Default"] = "Error",
        };

    public async ValueTask DisposeAsync()
    {
        foreach (var program in _programs)
        {
            program.Kill();
            await program.WaitForExitAsync();
            program.Dispose();
        }

        await _broker.DisposeAsync();
        await _server.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
