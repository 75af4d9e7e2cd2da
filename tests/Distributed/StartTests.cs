using System.Globalization;
using System.Net;
using ClipSae.EndToEnd;
using ClipSae.Servers;

namespace ClipSae.Distributed;

public sealed class StartTests(DistributedSystem system)
{
    [Theory]
    [InlineData("ClipSae__S3__SecretKey", "wrong", "refuses", "SecretKey")]
    [InlineData("ClipSae__S3__Bucket", "nobody-made-it", "has no bucket nobody-made-it", "create it")]
    [InlineData("ClipSae__S3__SecretKey", "", "ClipSae:S3:SecretKey", "expected a key")]
    [InlineData("ClipSae__Broker__Password", "wrong", "refuses user clipsae", "Password")]
    [InlineData("ClipSae__Broker__PasswordFile", "/no/such/file", "ClipSae:Broker: cannot read", "/no/such/file")]
    [InlineData("ClipSae__S3__SecretKeyFile", "/no/such/file", "ClipSae:S3: cannot read", "/no/such/file")]
    [InlineData("ClipSae__Broker__DeliveryLimit", "3", "refused", "declared otherwise")]
    [InlineData("ClipSae__Bus", "carrier-pigeon", "ClipSae:Bus = carrier-pigeon", "rabbitmq")]
    [InlineData("ClipSae__UnitsAtOnce", "many", "configuration", "UnitsAtOnce")]
    public async Task What_keeps_a_process_from_working_is_one_line_at_its_start(string variable, string value, string said, string mend) => await ShouldRefuseAsync(said, mend, (variable, value));

    [Fact]
    public async Task A_server_that_is_not_there_is_one_line_for_processes_and_commands()
    {
        var nowhere = FreePort.Next().ToString(CultureInfo.InvariantCulture);
        (string, string)[] store = [("ClipSae__S3__Endpoint", $"http://127.0.0.1:{nowhere}"), ("ClipSae__S3__StartTimeout", "00:00:02")];
        (string, string)[] broker = [("ClipSae__Broker__Port", nowhere), ("ClipSae__Broker__StartTimeout", "00:00:02")];

        await ShouldRefuseAsync($"http://127.0.0.1:{nowhere} did not answer", "is it running", store);
        await ShouldRefuseAsync($"localhost:{nowhere} cannot be reached", "is it running", broker);
        foreach (var (changes, verb) in new[] { (store, "runs"), (store, "watch"), (broker, "demo") })
        {
            var environment = new Dictionary<string, string>(system.Environment);
            foreach (var (variable, value) in changes)
            {
                environment[variable] = value;
            }

            var command = await Command.RunAsync(
                verb == "demo" ? TinyDemo.Arguments(system.Data, "--seed", "77") : [verb, .. verb == "watch" ? ["latest"] : Array.Empty<string>(), "--data", system.Data], environment: environment);
            command.Code.ShouldBe(1, command.Error);
            command.Error.ShouldContain($"127.0.0.1:{nowhere}".Replace("127.0.0.1", verb == "demo" ? "localhost" : "127.0.0.1", StringComparison.Ordinal));
            command.Error.Split('\n').Count(line => line.StartsWith("clipsae:", StringComparison.Ordinal) || line.StartsWith("warning:", StringComparison.Ordinal)).ShouldBe(1, command.Error);
            command.Error.ShouldNotContain("defect");
        }
    }

    [Fact]
    public async Task A_full_store_is_one_line()
    {
        await system.Objects.MakeBucketAsync("full");
        await system.Objects.AdministerAsync("quota", "set", "--quota-scope", "bucket", "--bucket", "full", "--max-objects", "0");
        await system.Objects.AdministerAsync("quota", "enable", "--quota-scope", "bucket", "--bucket", "full");

        await ShouldRefuseAsync("is full or over its quota", "make room in bucket full", ("ClipSae__S3__Bucket", "full"));
    }

    [Fact]
    public async Task A_store_that_ignores_conditions_is_one_line()
    {
        using var forgetful = new FakeServer();

        await ShouldRefuseAsync("ignores conditional writes", "use a server that honours them", ("ClipSae__S3__Endpoint", forgetful.Endpoint));
    }

    [Theory]
    [InlineData("Coordinator", "", HttpStatusCode.OK, "device: Healthy none needed")]
    [InlineData("WeightConversion", "", HttpStatusCode.OK, "device: Healthy cpu")]
    [InlineData("WeightConversion", "cuda:7", HttpStatusCode.ServiceUnavailable, "device: Unhealthy cuda:7: device 'cuda:7' is not there")]
    public async Task Health_tells_live_from_ready_with_bus_store_and_device(string service, string device, HttpStatusCode status, string said)
    {
        var address = $"http://127.0.0.1:{FreePort.Next()}";
        using var process = system.NewProcess(service, "healthy-" + Guid.NewGuid().ToString("N"), ("ClipSae__HealthAddress", address + "/"));
        process.Start(device.Length == 0 ? [] : ["--device", device]);
        var answer = await DistributedSystem.HealthAsync(address + "/ready", status, "masstransit-bus: Healthy");

        answer.ShouldContain("store: Healthy");
        answer.ShouldContain(said);
        (await DistributedSystem.HealthAsync(address + "/live", HttpStatusCode.OK, "live")).ShouldBe("live\n");
        (await process.StopAsync()).ShouldBe(0, process.Log);
    }

    [Fact]
    public async Task Doctor_finds_broker_and_bucket_sound()
    {
        var doctor = await Command.RunAsync(["doctor", "--json", "--data", system.Data], environment: system.Environment);

        doctor.Code.ShouldBe(0, doctor.Out);
        doctor.Json["checks"]!.AsArray().TakeLast(2).Select(check => (check!["check"]!.GetValue<string>(), check["grade"]!.GetValue<string>())).ShouldBe([("broker", "ok"), ("bucket", "ok")]);
    }

    private async Task ShouldRefuseAsync(string said, string mend, params (string Variable, string Value)[] changes)
    {
        using var process = system.NewProcess("Reporting", "bad-" + Guid.NewGuid().ToString("N"), changes);
        process.Start();

        (await process.EndAsync()).ShouldBe(1, process.Log);

        process.Log.Trim().Split('\n').Length.ShouldBe(1, process.Log);
        process.Log.ShouldContain(said);
        process.Log.ShouldContain(mend);
    }
}
