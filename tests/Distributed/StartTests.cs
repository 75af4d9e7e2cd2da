using System.Globalization;
using System.Net;
using ClipSae.Pipeline.Runs;
using ClipSae.Servers;
using ClipSae.TestKit.Commands;

namespace ClipSae.Distributed;

public sealed class StartTests(DistributedSystem system)
{
    // All at once: each process waits for servers most of its time.
    [Fact]
    public async Task What_keeps_a_process_from_working_is_one_line_at_its_start() =>
        await Task.WhenAll(
            ShouldRefuseAsync("refuses", "SecretKey", ("ClipSae__S3__SecretKey", "wrong")),
            ShouldRefuseAsync("has no bucket nobody-made-it", "create it", ("ClipSae__S3__Bucket", "nobody-made-it")),
            ShouldRefuseAsync("ClipSae:S3:SecretKey", "expected a key", ("ClipSae__S3__SecretKey", "")),
            ShouldRefuseAsync(
                "refuses user clipsae-worker",
                "Password",
                ("ClipSae__Broker__PasswordFile", ""),
                ("ClipSae__Broker__Password", "wrong")
            ),
            ShouldRefuseAsync("ClipSae:Broker: cannot read", "/no/such/file", ("ClipSae__Broker__PasswordFile", "/no/such/file")),
            ShouldRefuseAsync("ClipSae:S3: cannot read", "/no/such/file", ("ClipSae__S3__SecretKeyFile", "/no/such/file")),
            ShouldRefuseAsync("refused", "declared before with other arguments", ("ClipSae__Broker__DeliveryLimit", "3")),
            ShouldRefuseAsync("ClipSae:Bus = carrier-pigeon", "rabbitmq", ("ClipSae__Bus", "carrier-pigeon")),
            ShouldRefuseAsync("configuration", "UnitsAtOnce", ("ClipSae__UnitsAtOnce", "many"))
        );

    [Fact]
    public async Task A_server_that_is_not_there_is_one_line_for_processes_and_commands()
    {
        var nowhere = FreePort.Next().ToString(CultureInfo.InvariantCulture);
        (string, string)[] store = [("ClipSae__S3__Endpoint", $"http://127.0.0.1:{nowhere}"), ("ClipSae__S3__StartTimeout", "00:00:02")];
        (string, string)[] broker = [("ClipSae__Broker__Port", nowhere), ("ClipSae__Broker__StartTimeout", "00:00:02")];

        await Task.WhenAll(
            ShouldRefuseAsync($"http://127.0.0.1:{nowhere} did not answer", "is it running", store),
            ShouldRefuseAsync($"localhost:{nowhere} cannot be reached", "is it running", broker),
            CommandShouldRefuseAsync(store, "runs"),
            CommandShouldRefuseAsync(store, "watch"),
            CommandShouldRefuseAsync(broker, "demo")
        );

        async Task CommandShouldRefuseAsync((string, string)[] changes, string verb)
        {
            var environment = new Dictionary<string, string>(system.Environment);
            foreach (var (variable, value) in changes)
            {
                environment[variable] = value;
            }

            var command = await Command.RunAsync(
                verb == "demo"
                    ? TinyDemo.Arguments(system.Data, "--seed", "77")
                    : [verb, .. verb == "watch" ? ["latest"] : Array.Empty<string>(), "--data", system.Data],
                environment: environment
            );
            command.Code.ShouldBe(1, command.Error);
            command.Error.ShouldContain(
                $"127.0.0.1:{nowhere}".Replace("127.0.0.1", verb == "demo" ? "localhost" : "127.0.0.1", StringComparison.Ordinal)
            );
            command
                .Error.Split('\n')
                .Count(line =>
                    line.StartsWith("clipsae:", StringComparison.Ordinal) || line.StartsWith("warning:", StringComparison.Ordinal)
                )
                .ShouldBe(1, command.Error);
            command.Error.ShouldNotContain("defect");
        }
    }

    [Fact]
    public async Task A_full_store_is_one_line()
    {
        await system.Objects.MakeBucketAsync("full");
        await system.Objects.AdministerAsync("quota", "set", "--quota-scope", "bucket", "--bucket", "full", "--max-objects", "0");
        await system.Objects.AdministerAsync("quota", "enable", "--quota-scope", "bucket", "--bucket", "full");

        await ShouldRefuseAsync("is full or over its quota", "free some space in bucket full", ("ClipSae__S3__Bucket", "full"));
    }

    [Fact]
    public async Task A_store_that_ignores_conditions_is_one_line()
    {
        using var forgetful = new FakeServer();

        await ShouldRefuseAsync(
            "ignores conditional writes",
            "use a server that honours them",
            ("ClipSae__S3__Endpoint", forgetful.Endpoint)
        );
    }

    [Fact]
    public async Task Health_tells_live_from_ready_with_bus_store_and_device() =>
        await Task.WhenAll(
            ShouldTellAsync("coordinator", "", HttpStatusCode.OK, "device: Healthy none needed"),
            ShouldTellAsync(ParameterSections.Conversion, "", HttpStatusCode.OK, "device: Healthy cpu"),
            ShouldTellAsync(
                ParameterSections.Conversion,
                "cuda:7",
                HttpStatusCode.ServiceUnavailable,
                "device: Unhealthy cuda:7: device 'cuda:7' is not available"
            )
        );

    private async Task ShouldTellAsync(string service, string device, HttpStatusCode status, string said)
    {
        var address = $"http://127.0.0.1:{FreePort.Next()}";
        using var process = system.NewProcess(
            service,
            "healthy-" + Guid.NewGuid().ToString("N"),
            ("ClipSae__HealthAddress", address + "/")
        );
        process.Start(device.Length == 0 ? [] : ["--device", device]);
        var answer = await DistributedSystem.HealthAsync(address + "/ready", status, "masstransit-bus: Healthy");

        answer.ShouldContain("store: Healthy");
        answer.ShouldContain("consumers: Healthy");
        answer.ShouldContain("worker: Healthy");
        answer.ShouldContain(said);
        (await DistributedSystem.HealthAsync(address + "/live", HttpStatusCode.OK, "live")).ShouldBe("live\n");
        (await process.StopAsync()).ShouldBe(0, process.Log);
    }

    [Fact]
    public async Task Doctor_finds_broker_and_bucket_sound()
    {
        var doctor = await Command.RunAsync(["doctor", "--json", "--data", system.Data], environment: system.Environment);

        doctor.Code.ShouldBe(0, doctor.Out);
        doctor.Json["checks"]!
            .AsArray()
            .TakeLast(3)
            .Select(check => (check!["check"]!.GetValue<string>(), check["grade"]!.GetValue<string>()))
            .ShouldBe([("broker", "ok"), ("workers", "ok"), ("bucket", "ok")], doctor.Out);
    }

    private async Task ShouldRefuseAsync(string said, string mend, params (string Variable, string Value)[] changes)
    {
        using var process = system.NewProcess(ParameterSections.Report, "bad-" + Guid.NewGuid().ToString("N"), changes);
        process.Start();

        (await process.EndAsync()).ShouldBe(1, process.Log);

        process.Log.Trim().Split('\n').Length.ShouldBe(1, process.Log);
        process.Log.ShouldContain(said);
        process.Log.ShouldContain(mend);
    }
}
