using System.ComponentModel;
using System.Diagnostics;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ClipSae.TestKit.Sources;
using k8s;
using k8s.Models;
using static ClipSae.Deployment.Tests.Manifests;

namespace ClipSae.Deployment.Tests;

/// <summary>What can be told of the Kubernetes manifests without a cluster: their form, and that what they name is there.</summary>
public sealed partial class KubernetesTests
{
    private static readonly string[] Common = ["apiVersion", "kind", "metadata"];

    // Fields of KEDA's own kinds that are in use here (keda.sh/v1alpha1); pods within them are read as Kubernetes' own.
    private static readonly Dictionary<string, string[]> Keda = new(StringComparer.Ordinal)
    {
        ["ScaledObject"] = ["scaleTargetRef", "minReplicaCount", "maxReplicaCount", "pollingInterval", "cooldownPeriod", "triggers"],
        ["ScaledJob"] =
        [
            "jobTargetRef",
            "pollingInterval",
            "maxReplicaCount",
            "successfulJobsHistoryLimit",
            "failedJobsHistoryLimit",
            "rollout",
            "triggers",
        ],
        ["TriggerAuthentication"] = ["secretTargetRef"],
    };

    public static TheoryData<string> Objects => [.. Cluster.Select(item => $"{Text(item["kind"])} {Name(item)}")];

    public static TheoryData<string> Workloads => [.. Pods().Select(pod => pod.Name)];

    [Theory]
    [MemberData(nameof(Objects))]
    public void Every_field_is_one_that_the_cluster_knows(string name)
    {
        var item = Cluster.Single(each => $"{Text(each["kind"])} {Name(each)}" == name);
        if (!Keda.TryGetValue(Text(item["kind"]), out var known))
        {
            var type = typeof(V1Deployment)
                .Assembly.GetTypes()
                .Single(each =>
                    each.GetCustomAttribute<KubernetesEntityAttribute>() is { } entity
                    && entity.Kind == Text(item["kind"])
                    && $"{entity.Group}/{entity.ApiVersion}".TrimStart('/') == Text(item["apiVersion"])
                );
            typeof(KubernetesYaml)
                .GetMethods()
                .Single(method =>
                    method is { Name: nameof(KubernetesYaml.Deserialize), IsGenericMethod: true }
                    && method.GetParameters()[0].ParameterType == typeof(string)
                )
                .MakeGenericMethod(type)
                .Invoke(null, [item.ToJsonString(), true]);
            return;
        }

        Text(item["apiVersion"]).ShouldBe("keda.sh/v1alpha1");
        item.Select(field => field.Key).Except([.. Common, "spec"]).ShouldBeEmpty();
        item["spec"]!.AsObject().Select(field => field.Key).Except(known).ShouldBeEmpty();
        if (item["spec"]!["jobTargetRef"] is { } job)
        {
            KubernetesYaml.Deserialize<V1JobSpec>(job.ToJsonString(), strict: true).Template.Spec.Containers.ShouldNotBeEmpty();
        }
    }

    [Fact]
    public void A_field_that_nobody_knows_is_found()
    {
        var pod = Pods().First().Template.DeepClone();
        pod["spec"]!["terminationGracePeriod"] = 90;

        Should.Throw<Exception>(() => KubernetesYaml.Deserialize<V1PodTemplateSpec>(pod.ToJsonString(), strict: true));
    }

    [Fact]
    public void Every_program_has_one_workload_named_after_its_queue()
    {
        var programs = Pods().Select(pod => (pod.Name, Program: ProgramOf(Container(pod.Template)["command"]!))).ToArray();

        programs.Select(pod => pod.Program).ShouldBe(Programs, ignoreOrder: true);
        programs.ShouldAllBe(pod => pod.Program == $"/app/ClipSae.Service {pod.Name}");
    }

    [Theory]
    [MemberData(nameof(Workloads))]
    public void What_a_pod_names_is_there(string name)
    {
        var pod = Pods().Single(each => each.Name == name).Template;
        var container = Container(pod);
        var documented = SecretCommand()
            .Matches(File.ReadAllText(Path.Combine(Solution.Root, "infra", "kubernetes", "base.yaml")))
            .ToDictionary(
                match => match.Groups["name"].Value,
                match => SecretKey().Matches(match.Value).Select(key => key.Groups["key"].Value).ToArray()
            );

        Each(container["envFrom"])
            .Select(source => Text(source["configMapRef"]!["name"]))
            .ShouldBeSubsetOf(Each(Kustomization["configMapGenerator"]).Select(map => Text(map["name"])));
        foreach (var reference in Each(container["env"]).Select(variable => variable["valueFrom"]?["secretKeyRef"]).OfType<JsonObject>())
        {
            documented[Text(reference["name"])].ShouldContain(Text(reference["key"]));
        }

        foreach (var secret in Each(pod["spec"]!["volumes"]).Select(volume => volume["secret"]).OfType<JsonObject>())
        {
            Each(secret["items"]).Select(item => Text(item["key"])).ShouldBeSubsetOf(documented[Text(secret["secretName"])]);
        }

        Text(pod["spec"]!["serviceAccountName"]).ShouldBe(Name(OfKind("ServiceAccount").Single()));
        Each(container["volumeMounts"])
            .Select(mount => Text(mount["name"]))
            .ShouldBe(Each(pod["spec"]!["volumes"]).Select(volume => Text(volume["name"])), ignoreOrder: true);
        foreach (
            var file in Settings.Where(setting => setting.Key.EndsWith("File", StringComparison.Ordinal)).Select(setting => setting.Value)
        )
        {
            var volume = Text(
                Each(container["volumeMounts"]).Single(mount => file.StartsWith(Text(mount["mountPath"]) + "/", StringComparison.Ordinal))[
                    "name"
                ]
            );
            var secret = Each(pod["spec"]!["volumes"]).Single(each => Text(each["name"]) == volume)["secret"]!;
            var placed = secret["items"] is JsonArray items
                ? items.ToDictionary(item => Text(item!["path"]), item => Text(item!["key"]))
                : [];
            documented[Text(secret["secretName"])].ShouldContain(placed.GetValueOrDefault(Path.GetFileName(file), Path.GetFileName(file)));
        }
    }

    [Theory]
    [MemberData(nameof(Workloads))]
    public void A_pod_is_handed_the_password_of_its_own_broker_user_alone(string name)
    {
        var pod = Pods().Single(each => each.Name == name).Template;
        var part = name switch
        {
            "coordinator" => "coordinator",
            "web" => "viewer",
            _ => "worker",
        };

        var handed = Each(pod["spec"]!["volumes"])
            .Select(volume => volume["secret"])
            .OfType<JsonObject>()
            .Single(secret => Text(secret["secretName"]) == "clipsae-broker");
        Each(handed["items"]).Select(item => Text(item["key"])).ShouldBe([part]);
        var own = Each(Container(pod)["env"])
            .Where(variable => Text(variable["name"]) == "ClipSae__Broker__User")
            .Select(variable => Text(variable["value"]))
            .SingleOrDefault();
        (own ?? Settings["ClipSae__Broker__User"]).ShouldBe($"clipsae-{part}");
    }

    [Theory]
    [MemberData(nameof(Workloads))]
    public void A_pod_may_do_no_more_than_it_must_and_says_what_it_needs(string name)
    {
        var pod = Pods().Single(each => each.Name == name).Template;
        var container = Container(pod);
        var dockerfile = File.ReadAllText(Path.Combine(Solution.Root, "infra", "Dockerfile"));

        var account = pod["spec"]!["securityContext"]!;
        account["runAsNonRoot"]!.GetValue<bool>().ShouldBeTrue();
        dockerfile.ShouldContain($"USER {account["runAsUser"]}:{account["fsGroup"]}");
        Text(account["seccompProfile"]!["type"]).ShouldBe("RuntimeDefault");
        container["securityContext"]!["allowPrivilegeEscalation"]!.GetValue<bool>().ShouldBeFalse();
        container["securityContext"]!["readOnlyRootFilesystem"]!.GetValue<bool>().ShouldBeTrue();
        Text(container["securityContext"]!["capabilities"]!["drop"]![0]).ShouldBe("ALL");
        pod["spec"]!["automountServiceAccountToken"]!.GetValue<bool>().ShouldBeFalse();

        var (requests, limits) = (container["resources"]!["requests"]!, container["resources"]!["limits"]!);
        Text(requests["cpu"]).ShouldNotBeEmpty();
        Text(limits["memory"]).ShouldBe(Text(requests["memory"]));
        Text(limits["cpu"]).ShouldBe(Text(requests["cpu"]));
        Each(container["env"]).Single(variable => Text(variable["name"]) == "OMP_NUM_THREADS")["value"]!
            .GetValue<string>()
            .ShouldBe(Text(limits["cpu"]));
        Text(limits["nvidia.com/gpu"]).ShouldBe(Text(requests["nvidia.com/gpu"]));
        Each(container["command"]).Any(word => Text(word) == "cuda:0").ShouldBe(limits["nvidia.com/gpu"] is not null);

        var port = Each(container["ports"]).Single();
        dockerfile.ShouldContain($"ClipSae__HealthAddress=http://+:{port["containerPort"]}/");
        ((string[])["livenessProbe", "readinessProbe"]).ShouldAllBe(probe =>
            Text(container[probe]!["httpGet"]!["port"]) == Text(port["name"])
        );
        pod["spec"]!["terminationGracePeriodSeconds"]!
            .GetValue<int>()
            .ShouldBeGreaterThan((int)TimeSpan.Parse(Settings["ClipSae__StopTimeout"], null).TotalSeconds);
    }

    [Theory]
    [MemberData(nameof(Workloads))]
    public void A_pod_is_placed_where_its_gpu_and_its_files_find_room(string name)
    {
        var pod = Pods().Single(each => each.Name == name).Template;
        var limits = Container(pod)["resources"]!["limits"]!;
        var onGpu = limits["nvidia.com/gpu"] is not null;

        (pod["spec"]!["nodeSelector"]?["nvidia.com/gpu.present"] is not null).ShouldBe(onGpu);
        Each(pod["spec"]!["tolerations"]).Any(toleration => Text(toleration["key"]) == "nvidia.com/gpu").ShouldBe(onGpu);
        var files = Each(pod["spec"]!["volumes"])
            .Select(volume => volume["emptyDir"])
            .OfType<JsonObject>()
            .Sum(directory => Bytes(directory["sizeLimit"]));
        Bytes(limits["ephemeral-storage"]).ShouldBeGreaterThan(files);
    }

    [Fact]
    public void Volumes_hold_512_KiB_an_image()
    {
        const decimal Image = 512 << 10; // mlp@L of ViT-L/14, 32 tokens
        const int Shard = 2000,
            HookPoints = 3,
            Images = 400_000;
        var cache = decimal.Parse(Settings["ClipSae__S3__CacheBytes"], null);

        Bytes(Work(Pods().Single(pod => pod.Name == "embedding-extraction").Template)["emptyDir"]!["sizeLimit"])
            .ShouldBeGreaterThan(cache + (2 * Shard * HookPoints * Image));
        Bytes(
                Work(Pods().Single(pod => pod.Name == "sae-training").Template)["ephemeral"]!["volumeClaimTemplate"]!["spec"]![
                    "resources"
                ]!["requests"]!["storage"]
            )
            .ShouldBeGreaterThan(cache + (Images * Image));
        Pods()
            .Select(pod => Work(pod.Template)["emptyDir"])
            .OfType<JsonObject>()
            .Where(directory => Text(directory["sizeLimit"]) != "1Gi")
            .ShouldAllBe(directory => Bytes(directory["sizeLimit"]) > cache);
    }

    [Fact]
    public void Nothing_holds_a_gpu_while_it_is_idle()
    {
        var idle = OfKind("ScaledObject")
            .Where(item => item["spec"]!["minReplicaCount"]!.GetValue<int>() == 0)
            .Select(Name)
            .Concat(OfKind("ScaledJob").Select(Name));

        Pods()
            .Where(pod => Container(pod.Template)["resources"]!["limits"]!["nvidia.com/gpu"] is not null)
            .Select(pod => pod.Name)
            .ShouldBeSubsetOf(idle);
    }

    [Fact]
    public void No_secret_is_an_argument_of_what_the_manifests_tell_to_type() =>
        File.ReadAllText(Path.Combine(Solution.Root, "infra", "kubernetes", "base.yaml")).ShouldNotContain("--from-literal");

    [Fact]
    public async Task A_change_of_settings_replaces_the_pods()
    {
        var start = new ProcessStartInfo("kubectl", ["kustomize", Path.Combine(Solution.Root, "infra", "kubernetes")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        string rendered;
        try
        {
            using var process = Process.Start(start)!;
            var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            process.ExitCode.ShouldBe(0, await errors);
            rendered = await output;
        }
        catch (Win32Exception)
        {
            Assert.Skip("kubectl is not installed");
            return;
        }

        var named = HashedName().Matches(rendered);
        named.Select(name => name.Value).Distinct().Count().ShouldBe(1);
        named.Count.ShouldBe(Pods().Count() + 1);
        rendered.ShouldNotContain("image: clipsae");
    }

    [Fact]
    public void Selectors_match_their_pods()
    {
        foreach (var item in OfKind("Deployment"))
        {
            JsonNode
                .DeepEquals(item["spec"]!["selector"]!["matchLabels"], item["spec"]!["template"]!["metadata"]!["labels"])
                .ShouldBeTrue(Name(item));
        }

        foreach (var item in OfKind("PodDisruptionBudget"))
        {
            Pods()
                .Count(pod => JsonNode.DeepEquals(item["spec"]!["selector"]!["matchLabels"], pod.Template["metadata"]!["labels"]))
                .ShouldBe(1, Name(item));
        }
    }

    [Fact]
    public void Scaling_follows_both_queues_of_a_stage_unacknowledged_units_included()
    {
        foreach (var item in OfKind("ScaledObject", "ScaledJob"))
        {
            var stage = Name(item);
            Each(item["spec"]!["triggers"])
                .Select(trigger => Text(trigger["metadata"]!["queueName"]))
                .ShouldBe([stage, stage + "-interactive"]);
            Each(item["spec"]!["triggers"]).ShouldAllBe(trigger => Text(trigger["metadata"]!["excludeUnacknowledged"]) == "false");
            Each(item["spec"]!["triggers"])
                .Select(trigger => Text(trigger["authenticationRef"]!["name"]))
                .ShouldBeSubsetOf(OfKind("TriggerAuthentication").Select(Name));
            if (item["spec"]!["scaleTargetRef"] is { } target)
            {
                OfKind("Deployment").Select(Name).ShouldContain(Text(target["name"]));
            }
        }
    }

    [Fact]
    public void Pods_reach_what_they_are_configured_for_and_nothing_else()
    {
        var open = OfKind("NetworkPolicy")
            .SelectMany(policy => Each(policy["spec"]!["egress"]))
            .SelectMany(rule =>
                Each(rule["ports"])
                    .Select(port =>
                        $"{Text(rule["to"]![0]!["namespaceSelector"]!["matchLabels"]!["kubernetes.io/metadata.name"])}:{port["port"]}"
                    )
            )
            .Distinct();
        string[] wanted =
        [
            $"{Namespace(Settings["ClipSae__Broker__Host"])}:{Settings["ClipSae__Broker__Port"]}",
            Place(Settings["ClipSae__S3__Endpoint"]),
            Place(Settings["OTEL_EXPORTER_OTLP_ENDPOINT"]),
            "kube-system:53",
        ];

        open.ShouldBe(wanted, ignoreOrder: true);
        OfKind("NetworkPolicy")
            // All else is closed.
            .ShouldContain(policy => policy["spec"]!["egress"] == null && Each(policy["spec"]!["policyTypes"]).Count() == 2);

        static string Place(string address) => $"{Namespace(new Uri(address).Host)}:{new Uri(address).Port}";
        static string Namespace(string host) => host.Split('.')[1];
    }

    private static JsonNode Container(JsonNode pod) => Each(pod["spec"]!["containers"]).Single();

    /// <summary>Bytes of a quantity as Kubernetes writes it.</summary>
    private static decimal Bytes(JsonNode? quantity) => new ResourceQuantity(Text(quantity)).ToDecimal();

    /// <summary>Where a pod computes with files: the volume at <c>/data</c>.</summary>
    private static JsonNode Work(JsonNode pod) => Each(pod["spec"]!["volumes"]).Single(volume => Text(volume["name"]) == "work");

    [GeneratedRegex("name: clipsae-[a-z0-9]{10}\n")]
    private static partial Regex HashedName();

    [GeneratedRegex("create secret generic (?<name>\\S+) .*")]
    private static partial Regex SecretCommand();

    [GeneratedRegex("--from-(literal|file)=(?<key>[a-z-]+)")]
    private static partial Regex SecretKey();
}
