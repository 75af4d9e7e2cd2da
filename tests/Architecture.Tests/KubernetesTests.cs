using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using k8s;
using k8s.Models;
using static ClipSae.Architecture.Tests.Manifests;

namespace ClipSae.Architecture.Tests;

/// <summary>What can be told of the Kubernetes manifests without a cluster: their form, and that what they name is there.</summary>
public sealed partial class KubernetesTests
{
    private static readonly string[] Common = ["apiVersion", "kind", "metadata"];

    // Fields of KEDA's own kinds that are in use here (keda.sh/v1alpha1); pods within them are read as Kubernetes' own.
    private static readonly Dictionary<string, string[]> Keda = new(StringComparer.Ordinal)
    {
        ["ScaledObject"] = ["scaleTargetRef", "minReplicaCount", "maxReplicaCount", "pollingInterval", "cooldownPeriod", "triggers"],
        ["ScaledJob"] = ["jobTargetRef", "pollingInterval", "maxReplicaCount", "successfulJobsHistoryLimit", "failedJobsHistoryLimit", "triggers"],
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
            var type = typeof(V1Deployment).Assembly.GetTypes().Single(each =>
                each.GetCustomAttribute<KubernetesEntityAttribute>() is { } entity && entity.Kind == Text(item["kind"]) && $"{entity.Group}/{entity.ApiVersion}".TrimStart('/') == Text(item["apiVersion"]));
            typeof(KubernetesYaml).GetMethods().Single(method => method is { Name: nameof(KubernetesYaml.Deserialize), IsGenericMethod: true } && method.GetParameters()[0].ParameterType == typeof(string))
                .MakeGenericMethod(type).Invoke(null, [item.ToJsonString(), true]);
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
        var programs = Pods().Select(pod => (pod.Name, Program: Text(Container(pod.Template)["command"]![0]))).ToArray();

        programs.Select(pod => pod.Program).Order(StringComparer.Ordinal).ShouldBe(
            Solution.Projects("services").Where(service => service != "Cli").Select(service => $"/app/ClipSae.{service}").Order(StringComparer.Ordinal));
        programs.ShouldAllBe(pod => pod.Program == "/app/ClipSae." + string.Concat(pod.Name.Split('-').Select(word => char.ToUpperInvariant(word[0]) + word.Substring(1))));
    }

    [Theory]
    [MemberData(nameof(Workloads))]
    public void What_a_pod_names_is_there(string name)
    {
        var pod = Pods().Single(each => each.Name == name).Template;
        var container = Container(pod);
        var documented = SecretCommand().Matches(File.ReadAllText(Path.Combine(Solution.Root, "infra", "kubernetes", "base.yaml")))
            .ToDictionary(match => match.Groups["name"].Value, match => SecretKey().Matches(match.Value).Select(key => key.Groups["key"].Value).ToArray());

        Each(container["envFrom"]).Select(source => Text(source["configMapRef"]!["name"])).ShouldBeSubsetOf(OfKind("ConfigMap").Select(Name));
        foreach (var reference in Each(container["env"]).Select(variable => variable["valueFrom"]!["secretKeyRef"]!))
        {
            documented[Text(reference["name"])].ShouldContain(Text(reference["key"]));
        }

        foreach (var secret in Each(pod["spec"]!["volumes"]).Select(volume => volume["secret"]).OfType<JsonObject>())
        {
            Each(secret["items"]).Select(item => Text(item["key"])).ShouldBeSubsetOf(documented[Text(secret["secretName"])]);
        }

        Text(pod["spec"]!["serviceAccountName"]).ShouldBe(Name(OfKind("ServiceAccount").Single()));
        Each(container["volumeMounts"]).Select(mount => Text(mount["name"])).ShouldBe(Each(pod["spec"]!["volumes"]).Select(volume => Text(volume["name"])), ignoreOrder: true);
        foreach (var file in Configuration().Where(setting => setting.Key.EndsWith("File", StringComparison.Ordinal)).Select(setting => Text(setting.Value)))
        {
            var volume = Text(Each(container["volumeMounts"]).Single(mount => file.StartsWith(Text(mount["mountPath"]) + "/", StringComparison.Ordinal))["name"]);
            var secret = Text(Each(pod["spec"]!["volumes"]).Single(each => Text(each["name"]) == volume)["secret"]!["secretName"]);
            documented[secret].ShouldContain(Path.GetFileName(file));
        }
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
        Text(limits["nvidia.com/gpu"]).ShouldBe(Text(requests["nvidia.com/gpu"]));
        Each(container["command"]).Any(word => Text(word) == "cuda:0").ShouldBe(limits["nvidia.com/gpu"] is not null);

        var port = Each(container["ports"]).Single();
        dockerfile.ShouldContain($"ClipSae__HealthAddress=http://+:{port["containerPort"]}/");
        ((string[])["livenessProbe", "readinessProbe"]).ShouldAllBe(probe => Text(container[probe]!["httpGet"]!["port"]) == Text(port["name"]));
        pod["spec"]!["terminationGracePeriodSeconds"]!.GetValue<int>().ShouldBeGreaterThan((int)TimeSpan.Parse(Text(Configuration()["ClipSae__StopTimeout"]), null).TotalSeconds);
    }

    [Fact]
    public void Selectors_match_their_pods()
    {
        foreach (var item in OfKind("Deployment"))
        {
            JsonNode.DeepEquals(item["spec"]!["selector"]!["matchLabels"], item["spec"]!["template"]!["metadata"]!["labels"]).ShouldBeTrue(Name(item));
        }

        foreach (var item in OfKind("PodDisruptionBudget"))
        {
            Pods().Count(pod => JsonNode.DeepEquals(item["spec"]!["selector"]!["matchLabels"], pod.Template["metadata"]!["labels"])).ShouldBe(1, Name(item));
        }
    }

    [Fact]
    public void Scaling_follows_both_queues_of_a_stage_unacknowledged_units_included()
    {
        foreach (var item in OfKind("ScaledObject", "ScaledJob"))
        {
            var stage = Name(item);
            Each(item["spec"]!["triggers"]).Select(trigger => Text(trigger["metadata"]!["queueName"])).ShouldBe([stage, stage + "-interactive"]);
            Each(item["spec"]!["triggers"]).ShouldAllBe(trigger => Text(trigger["metadata"]!["excludeUnacknowledged"]) == "false");
            Each(item["spec"]!["triggers"]).Select(trigger => Text(trigger["authenticationRef"]!["name"])).ShouldBeSubsetOf(OfKind("TriggerAuthentication").Select(Name));
            if (item["spec"]!["scaleTargetRef"] is { } target)
            {
                OfKind("Deployment").Select(Name).ShouldContain(Text(target["name"]));
            }
        }
    }

    [Fact]
    public void Pods_reach_what_they_are_configured_for_and_nothing_else()
    {
        var open = OfKind("NetworkPolicy").SelectMany(policy => Each(policy["spec"]!["egress"]))
            .SelectMany(rule => Each(rule["ports"]).Select(port => $"{Text(rule["to"]![0]!["namespaceSelector"]!["matchLabels"]!["kubernetes.io/metadata.name"])}:{port["port"]}"))
            .Distinct();
        var configuration = Configuration();
        string[] wanted =
        [
            $"{Namespace(Text(configuration["ClipSae__Broker__Host"]))}:{Text(configuration["ClipSae__Broker__Port"])}",
            Place(Text(configuration["ClipSae__S3__Endpoint"])),
            Place(Text(configuration["OTEL_EXPORTER_OTLP_ENDPOINT"])),
            "kube-system:53",
        ];

        open.ShouldBe(wanted, ignoreOrder: true);
        OfKind("NetworkPolicy").ShouldContain(policy => policy["spec"]!["egress"] == null && Each(policy["spec"]!["policyTypes"]).Count() == 2); // all else is closed

        static string Place(string address) => $"{Namespace(new Uri(address).Host)}:{new Uri(address).Port}";
        static string Namespace(string host) => host.Split('.')[1];
    }

    private static JsonNode Container(JsonNode pod) => Each(pod["spec"]!["containers"]).Single();

    private static JsonObject Configuration() => OfKind("ConfigMap").Single()["data"]!.AsObject();

    [GeneratedRegex("create secret generic (?<name>\\S+) .*")]
    private static partial Regex SecretCommand();

    [GeneratedRegex("--from-(literal|file)=(?<key>[a-z-]+)")]
    private static partial Regex SecretKey();
}
