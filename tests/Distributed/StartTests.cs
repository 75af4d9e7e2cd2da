using System.Net;
using ClipSae.Servers;

namespace ClipSae.Distributed;

public sealed class StartTests(DistributedSystem system)
{
    [Theory]
    [InlineData("ClipSae__S3__SecretKey", "wrong", "refuses", "SecretKey")]
    [InlineData("ClipSae__S3__Bucket", "nobody-made-it", "has no bucket nobody-made-it", "create it")]
    [InlineData("ClipSae__S3__SecretKey", "", "ClipSae:S3:SecretKey", "expected a key")]
    [InlineData("ClipSae__Broker__Password", "wrong", "refuses user clipsae", "Password")]
    [InlineData("ClipSae__Broker__DeliveryLimit", "3", "refused", "declared otherwise")]
    [InlineData("ClipSae__Bus", "carrier-pigeon", "ClipSae:Bus = carrier-pigeon", "rabbitmq")]
    [InlineData("ClipSae__UnitsAtOnce", "many", "configuration", "UnitsAtOnce")]
    public async Task What_keeps_a_process_from_working_is_one_line_at_its_start(string variable, string value, string said, string mend)
    {
        using var process = system.NewProcess("Reporting", "bad-" + Guid.NewGuid().ToString("N"), (variable, value));
        process.Start();

        (await process.EndAsync()).ShouldBe(1, process.Log);

        process.Log.Trim().Split('\n').Length.ShouldBe(1, process.Log);
        process.Log.ShouldContain(said);
        process.Log.ShouldContain(mend);
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
        using var http = new HttpClient();
        var answer = await EventuallyAsync(http, process, address + "/ready", status, "masstransit-bus: Healthy");

        answer.ShouldContain("store: Healthy");
        answer.ShouldContain(said);
        (await http.GetStringAsync(address + "/live")).ShouldBe("live\n");
        (await process.StopAsync()).ShouldBe(0, process.Log);
    }

    private static async Task<string> EventuallyAsync(HttpClient http, ServiceProcess process, string address, HttpStatusCode status, string said)
    {
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

        throw new TimeoutException($"{address} did not say {said} but {last}; the process: {process.Log}");
    }
}
