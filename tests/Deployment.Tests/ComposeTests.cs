using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ClipSae.TestKit.Sources;
using static ClipSae.Deployment.Tests.Manifests;

namespace ClipSae.Deployment.Tests;

/// <summary>
/// The compose file: read by compose itself where that is installed, in either generation, and held against the solution.
/// </summary>
public sealed partial class ComposeTests
{
    private const string Cuda = "infra/compose/cuda.yaml";

    private static JsonObject Services { get; } = Read(Path.Combine(Solution.Root, "docker-compose.yml")).Single()["services"]!.AsObject();

    private static JsonObject Secrets { get; } = Read(Path.Combine(Solution.Root, "docker-compose.yml")).Single()["secrets"]!.AsObject();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Compose_takes_the_file(bool withCuda)
    {
        string[] files = withCuda ? ["-f", "docker-compose.yml", "-f", Cuda] : ["-f", "docker-compose.yml"];
        var folder = Directory.CreateTempSubdirectory("clipsae-compose-");
        var asked = 0;
        try
        {
            await MakeCredentialsAsync(folder.FullName);
            foreach (
                string[] compose in (string[][])
                    [
                        ["docker", "compose"],
                        ["docker-compose"],
                    ]
            )
            {
                if (await RunAsync([.. compose, "version"]) is not (0, _))
                {
                    continue;
                }

                asked++;
                var (code, said) = await RunAsync([.. compose, "--env-file", Path.Combine(folder.FullName, ".env"), .. files, "config"]);
                code.ShouldBe(0, said);
                said.Split("\nx-")[0].Split('\n').Count(line => line.Trim() == "driver: nvidia").ShouldBe(withCuda ? 4 : 0);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        Assert.SkipWhen(asked == 0, "compose is not installed");
    }

    [Fact]
    public void Every_program_is_a_service()
    {
        var programs = Services
            .Select(service => service.Value!["command"])
            .OfType<JsonArray>()
            .Select(ProgramOf)
            .Where(program => program.StartsWith("/app/", StringComparison.Ordinal));

        programs.ShouldBe(Programs, ignoreOrder: true);
    }

    [Fact]
    public void On_a_gpu_compute_the_stages_that_do_so_on_Kubernetes()
    {
        var services = Read(Path.Combine(Solution.Root, Cuda)).Single()["services"]!.AsObject();

        services
            .Select(service => service.Key)
            .ShouldBe(
                Pods()
                    .Where(pod => pod.Template["spec"]!["containers"]![0]!["resources"]!["limits"]!["nvidia.com/gpu"] is not null)
                    .Select(pod => pod.Name),
                ignoreOrder: true
            );
        services.ShouldAllBe(service => ProgramOf(service.Value!["command"]!) == ProgramOf(Services[service.Key]!["command"]!));
    }

    [Fact]
    public void Ports_are_open_to_this_machine_alone() =>
        Services
            .SelectMany(service => Each(service.Value!["ports"]))
            .Select(Text)
            .ShouldAllBe(port => port.StartsWith("127.0.0.1:", StringComparison.Ordinal));

    [Fact]
    public void Images_of_others_are_named_by_version_and_digest()
    {
        var images = Services
            .Select(service => Text(service.Value!["image"]))
            .Where(image => !image.StartsWith("clipsae:", StringComparison.Ordinal))
            .ToArray();

        images.Length.ShouldBeGreaterThan(5);
        images.ShouldAllBe(image => ExactImage().IsMatch(image));
        File.ReadLines(Path.Combine(Solution.Root, "infra", "Dockerfile"))
            .Where(line => line.StartsWith("ARG ", StringComparison.Ordinal) && line.Contains('/'))
            .ShouldAllBe(line => ExactImage().IsMatch(line.Split('=', 2)[1]));
    }

    [Fact]
    public void A_container_may_do_no_more_than_it_must()
    {
        foreach (var (name, service) in Services)
        {
            service!["read_only"]!.GetValue<bool>().ShouldBeTrue(name);
            Each(service["cap_drop"]).Select(Text).ShouldBe(["ALL"], name);
            Each(service["security_opt"]).Select(Text).ShouldBe(["no-new-privileges:true"], name);
            service["cpus"].ShouldNotBeNull(name);
            Text(service["mem_limit"]).ShouldNotBeEmpty(name);
            if (service["build"] is null) // the image of ours names its user itself
            {
                Text(service["user"]).ShouldMatch("^[1-9][0-9]*:[0-9]+$", name);
            }
        }
    }

    [Fact]
    public void What_runs_on_is_asked_whether_it_is_well()
    {
        File.ReadAllText(Path.Combine(Solution.Root, "infra", "Dockerfile")).ShouldContain("HEALTHCHECK");
        var unasked = Services
            .Where(service =>
                service.Value!["build"] is null && Text(service.Value!["restart"]) != "no" && service.Value!["healthcheck"] is null
            )
            .Select(service => service.Key);

        // The collector's image holds no program that could ask it.
        unasked.ShouldBe(["collector"]);
        Read(Path.Combine(Solution.Root, "infra", "observability", "prometheus.yaml")).Single()["scrape_configs"]!
            .AsArray()
            .Select(job => Text(job!["job_name"]))
            .ShouldContain("collector");
    }

    [Fact]
    public void The_collector_refuses_what_its_memory_does_not_hold()
    {
        var collector = Read(Path.Combine(Solution.Root, "infra", "observability", "collector.yaml")).Single();

        var pipelines = collector["service"]!["pipelines"]!.AsObject();
        pipelines.Count.ShouldBe(3);
        pipelines.ShouldAllBe(pipeline => Text(Each(pipeline.Value!["processors"]).First()) == "memory_limiter");
    }

    [Fact]
    public void Every_worker_computes_with_as_many_threads_as_it_has_processors() =>
        Services
            .Where(service => service.Value!["build"] is not null)
            .ShouldAllBe(service =>
                Text(service.Value!["environment"]!["OMP_NUM_THREADS"]) == Text(service.Value!["cpus"])
                && Text(service.Value!["cpus"]).Length > 0
            );

    [Fact]
    public void Secrets_are_files_and_in_no_variable()
    {
        var variables = Services
            .SelectMany(service => service.Value!["environment"] as JsonObject ?? [])
            .Where(variable => SecretName().IsMatch(variable.Key))
            .ToArray();

        variables.Length.ShouldBeGreaterThan(3);
        variables.ShouldAllBe(variable => Text(variable.Value).StartsWith("/run/secrets/", StringComparison.Ordinal));
        foreach (var (name, service) in Services)
        {
            var handed = Each(service!["secrets"])
                .Select(secret => secret is JsonObject placed ? Text(placed["source"]) : Text(secret))
                .ToArray();
            handed.ShouldBeSubsetOf(Secrets.Select(secret => secret.Key), name);
            RunSecret().Matches(service.ToJsonString()).Select(match => match.Groups[1].Value).ShouldBeSubsetOf(handed, name);
        }
    }

    [Fact]
    public async Task Credentials_are_made_once_for_their_owner_and_lead_this_machine_to_the_servers()
    {
        var folder = Directory.CreateTempSubdirectory("clipsae-compose-");
        try
        {
            await MakeCredentialsAsync(folder.FullName);
            var made = Contents(folder.FullName);
            await MakeCredentialsAsync(folder.FullName);

            Contents(folder.FullName).ShouldBe(made);
            var file = Path.Combine(folder.FullName, ".env");
            var secrets = Path.Combine(folder.FullName, "infra", "compose", "secrets");
            if (!OperatingSystem.IsWindows())
            {
                File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
                File.GetUnixFileMode(secrets).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }

            var value = File.ReadAllLines(file)
                .Select(line => line.Split('=', 2))
                .ToDictionary(pair => pair[0], pair => pair[1].Trim('\''));
            Secrets
                .Select(secret => Text(secret.Value!["file"]))
                .ShouldAllBe(secret => new FileInfo(Path.Combine(folder.FullName, secret)).Length > 0);
            string[] plain =
            [
                "broker/clipsae-submitter.password",
                "s3-access-key",
                "s3-secret-key",
                "grafana-password",
                "broker/clipsae-coordinator.password",
                "broker/clipsae-worker.password",
                "broker/clipsae.password",
                "broker/clipsae-viewer.password",
                "ui-token",
            ];
            var words = plain.Select(name => File.ReadAllText(Path.Combine(secrets, name))).ToArray();
            words.Distinct().Count().ShouldBe(plain.Length);
            words.ShouldAllBe(word => word.Length >= 20 && !File.ReadAllText(file).Contains(word));
            (value["ClipSae__Broker__User"], value["ClipSae__Broker__PasswordFile"]).ShouldBe(
                ("clipsae-submitter", Path.Combine(secrets, plain[0]))
            );
            words.ShouldAllBe(
                word => !File.ReadAllText(Path.Combine(secrets, "broker", "definitions.json")).Contains(word),
                "the broker is told hashes alone"
            );

            var users = JsonNode.Parse(
                await File.ReadAllTextAsync(Path.Combine(secrets, "storage-users.json"), TestContext.Current.CancellationToken)
            )!;
            var worker = users["identities"]!.AsArray().Single(user => Text(user!["name"]) == "clipsae")!;
            (Text(worker["credentials"]![0]!["accessKey"]), Text(worker["credentials"]![0]!["secretKey"])).ShouldBe((words[1], words[2]));
            worker["actions"].ShouldBeNull(); // its policy alone says what it may do
            var policy = await File.ReadAllTextAsync(
                Path.Combine(Solution.Root, "infra", "compose", "policy.json"),
                TestContext.Current.CancellationToken
            );
            JsonNode.DeepEquals(JsonNode.Parse(Text(users["policies"]![0]!["content"])), JsonNode.Parse(policy)).ShouldBeTrue();

            var open = Services
                .SelectMany(service => Each(service.Value!["ports"]))
                .Select(port => "http://" + Text(port)[..Text(port).LastIndexOf(':')])
                .ToArray();
            open.ShouldContain(value["ClipSae__S3__Endpoint"]);
            open.ShouldContain(value["OTEL_EXPORTER_OTLP_ENDPOINT"]);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Credentials_of_an_earlier_version_get_what_they_lack_and_keep_the_rest()
    {
        var folder = Directory.CreateTempSubdirectory("clipsae-compose-");
        try
        {
            await MakeCredentialsAsync(folder.FullName);
            var made = Contents(folder.FullName);
            string[] lacking =
            [
                .. new[] { "broker/clipsae-viewer.password", "broker/definitions.json", "ui-token" }.Select(name =>
                    Path.Combine(folder.FullName, "infra/compose/secrets", name)
                ),
            ];
            File.Delete(lacking[0]);
            await File.WriteAllTextAsync(
                lacking[1],
                made[lacking[1]].Replace("clipsae-viewer", "clipsae-other", StringComparison.Ordinal),
                TestContext.Current.CancellationToken
            );
            File.Delete(lacking[2]);

            await MakeCredentialsAsync(folder.FullName);

            var now = Contents(folder.FullName);
            now.Keys.ShouldBe(made.Keys);
            now.Where(file => !lacking.Contains(file.Key)).ShouldAllBe(file => file.Value == made[file.Key]);
            now[lacking[0]].Length.ShouldBe(40);
            now[lacking[1]].ShouldContain("clipsae-viewer");
            now[lacking[2]].Length.ShouldBe(40);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void Files_that_are_mounted_are_there()
    {
        var mounted = Services
            .SelectMany(service => Each(service.Value!["volumes"]))
            .Select(Text)
            .Where(volume => volume.StartsWith("./", StringComparison.Ordinal))
            .ToArray();

        mounted.ShouldNotBeEmpty();
        mounted.ShouldAllBe(volume => Path.Exists(Path.Combine(Solution.Root, volume.Split(':')[0])));
    }

    private static SortedDictionary<string, string> Contents(string folder) =>
        new(
            Directory.GetFiles(folder, "*", SearchOption.AllDirectories).ToDictionary(file => file, File.ReadAllText),
            StringComparer.Ordinal
        );

    private static async Task MakeCredentialsAsync(string folder)
    {
        var (code, said) = await RunAsync(["bash", "infra/compose/credentials.sh", folder]);
        code.ShouldBe(0, said);
    }

    private static async Task<(int Code, string Said)> RunAsync(string[] command)
    {
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Solution.Root,
        };
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

    [GeneratedRegex("PASS|SECRET|KEY", RegexOptions.IgnoreCase)]
    private static partial Regex SecretName();

    [GeneratedRegex("/run/secrets/([a-z0-9-]+)")]
    private static partial Regex RunSecret();

    [GeneratedRegex("^[a-z0-9./-]+:v?[0-9][A-Za-z0-9.-]*@sha256:[0-9a-f]{64}$")]
    private static partial Regex ExactImage();
}
