using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using static ClipSae.Architecture.Tests.Manifests;

namespace ClipSae.Architecture.Tests;

/// <summary>The compose file: read by compose itself where that is installed, in either generation, and held against the solution.</summary>
public sealed partial class ComposeTests
{
    private const string Cuda = "infra/compose/cuda.yaml";

    private static JsonObject Services { get; } = Read(Path.Combine(Solution.Root, "docker-compose.yml")).Single()["services"]!.AsObject();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Compose_takes_the_file(bool withCuda)
    {
        string[] files = withCuda ? ["-f", "docker-compose.yml", "-f", Cuda] : ["-f", "docker-compose.yml"];
        var environment = Path.GetTempFileName();
        var asked = 0;
        try
        {
            await MakeCredentialsAsync(environment);
            foreach (string[] compose in (string[][])[["docker", "compose"], ["docker-compose"]])
            {
                if (await RunAsync([.. compose, "version"]) is not (0, _))
                {
                    continue;
                }

                asked++;
                var (code, said) = await RunAsync([.. compose, "--env-file", environment, .. files, "config"]);
                code.ShouldBe(0, said);
                said.Split("\nx-")[0].Split('\n').Count(line => line.Trim() == "driver: nvidia").ShouldBe(withCuda ? 4 : 0);
            }
        }
        finally
        {
            File.Delete(environment);
        }

        Assert.SkipWhen(asked == 0, "compose is not installed");
    }

    [Fact]
    public void Every_program_is_a_service()
    {
        var programs = Services.Select(service => service.Value!["command"]).OfType<JsonArray>().Select(command => Text(command[0])).Where(program => program.StartsWith("/app/", StringComparison.Ordinal));

        programs.Order(StringComparer.Ordinal).ShouldBe(Solution.Projects("services").Where(service => service != "Cli").Select(service => $"/app/ClipSae.{service}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void On_a_gpu_compute_the_stages_that_do_so_on_Kubernetes()
    {
        var services = Read(Path.Combine(Solution.Root, Cuda)).Single()["services"]!.AsObject();

        services.Select(service => service.Key).ShouldBe(
            Pods().Where(pod => pod.Template["spec"]!["containers"]![0]!["resources"]!["limits"]!["nvidia.com/gpu"] is not null).Select(pod => pod.Name), ignoreOrder: true);
        services.ShouldAllBe(service => Text(service.Value!["command"]![0]) == Text(Services[service.Key]!["command"]![0]));
    }

    [Fact]
    public void Ports_are_open_to_this_machine_alone() =>
        Services.SelectMany(service => Each(service.Value!["ports"])).Select(Text).ShouldAllBe(port => port.StartsWith("127.0.0.1:", StringComparison.Ordinal));

    [Fact]
    public void No_secret_has_a_default()
    {
        var secrets = Services.SelectMany(service => service.Value!["environment"] as JsonObject ?? [])
            .Where(variable => SecretName().IsMatch(variable.Key)).ToArray();

        secrets.Length.ShouldBeGreaterThan(8);
        secrets.ShouldAllBe(variable => Required().IsMatch(Text(variable.Value)));
    }

    [Fact]
    public async Task Credentials_are_made_once_for_their_owner_and_lead_this_machine_to_the_servers()
    {
        var folder = Directory.CreateTempSubdirectory("clipsae-compose-");
        try
        {
            var file = Path.Combine(folder.FullName, "env");
            await MakeCredentialsAsync(file);
            var made = await File.ReadAllLinesAsync(file, TestContext.Current.CancellationToken);
            await MakeCredentialsAsync(file);

            (await File.ReadAllLinesAsync(file, TestContext.Current.CancellationToken)).ShouldBe(made);
            if (!OperatingSystem.IsWindows())
            {
                File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }

            var value = made.Select(line => line.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
            value["ClipSae__Broker__Password"].ShouldBe(value["BROKER_PASSWORD"]);
            value["ClipSae__S3__AccessKey"].ShouldBe(value["S3_ACCESS_KEY"]);
            value["ClipSae__S3__SecretKey"].ShouldBe(value["S3_SECRET_KEY"]);
            string[] secrets = ["BROKER_PASSWORD", "S3_ACCESS_KEY", "S3_SECRET_KEY", "MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD", "GRAFANA_PASSWORD"];
            secrets.Select(name => value[name]).Distinct().Count().ShouldBe(secrets.Length);
            secrets.ShouldAllBe(name => value[name].Length >= 20);
            var open = Services.SelectMany(service => Each(service.Value!["ports"])).Select(port => "http://" + Text(port)[..Text(port).LastIndexOf(':')]).ToArray();
            open.ShouldContain(value["ClipSae__S3__Endpoint"]);
            open.ShouldContain(value["OTEL_EXPORTER_OTLP_ENDPOINT"]);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void Files_that_are_mounted_are_there()
    {
        var mounted = Services.SelectMany(service => Each(service.Value!["volumes"])).Select(Text).Where(volume => volume.StartsWith("./", StringComparison.Ordinal)).ToArray();

        mounted.ShouldNotBeEmpty();
        mounted.ShouldAllBe(volume => Path.Exists(Path.Combine(Solution.Root, volume.Split(':')[0])));
    }

    private static async Task MakeCredentialsAsync(string file)
    {
        var (code, said) = await RunAsync(["bash", "infra/compose/credentials.sh", file]);
        code.ShouldBe(0, said);
    }

    private static async Task<(int Code, string Said)> RunAsync(string[] command)
    {
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Solution.Root };
        try
        {
            using var process = Process.Start(start)!;
            var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await process.WaitForExitAsync();
            return (process.ExitCode, process.ExitCode == 0 ? await output : await errors + await output);
        }
        catch (Win32Exception)
        {
            return (-1, $"{command[0]} is not installed");
        }
    }

    [GeneratedRegex("PASS|SECRET|KEY|MC_HOST", RegexOptions.IgnoreCase)]
    private static partial Regex SecretName();

    [GeneratedRegex("\\$\\{[A-Z0-9_]+:\\?")]
    private static partial Regex Required();
}
