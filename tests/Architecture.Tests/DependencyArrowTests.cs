using System.Xml.Linq;
using ClipSae.Pipeline.Runs;
using ClipSae.TestKit.Sources;

namespace ClipSae.Architecture.Tests;

public class DependencyArrowTests
{
    /// <summary>What each shared project may reference. A project that is not here must first be given its place.</summary>
    private static readonly string[] Programs = ["Cli", "Service"];

    private static readonly Dictionary<string, string[]> Shared = new()
    {
        ["Contracts"] = [],
        ["Artifacts"] = ["Contracts"],
        ["Results"] = ["Contracts"],
        ["Pipeline"] = ["Artifacts", "Contracts"],
        ["ObjectStorage"] = ["Artifacts", "Contracts"],
        ["Hosting"] = ["ObjectStorage", "Pipeline", "Artifacts", "Contracts"],
        ["Tensors"] = ["Artifacts", "Contracts"],
        ["Imaging"] = ["Contracts"],
        ["Datasets"] = ["Imaging", "Artifacts", "Contracts"],
        ["Pages"] = ["Datasets", "Results", "Artifacts", "Contracts"],
        ["Clip"] = ["Tensors", "Imaging", "Artifacts", "Contracts"],
        ["Sae"] = ["Tensors", "Artifacts", "Contracts"],
    };

    [Fact]
    public void Shared_projects_point_one_way()
    {
        Solution.Projects("shared").ShouldBe(Shared.Keys.Order(StringComparer.Ordinal));
        foreach (var (project, allowed) in Shared)
        {
            Solution.References("shared", project).Except(allowed).ShouldBeEmpty($"references of shared/{project}");
        }
    }

    [Fact]
    public void No_service_references_another_but_the_programs()
    {
        foreach (var service in Solution.Projects("services").Except(Programs))
        {
            Solution.References("services", service).Except(Shared.Keys).ShouldBeEmpty($"references of services/{service}");
        }
    }

    /// <summary>A stage is a library: what runs it is a program's.</summary>
    [Fact]
    public void Stages_know_neither_bus_nor_store_nor_host()
    {
        var stages = Solution.Projects("services").Except([.. Programs, "Coordinator", "Web"]).ToArray();

        stages.Length.ShouldBe(ParameterSections.All.Count);
        foreach (var stage in stages)
        {
            Solution.References("services", stage).Intersect(["Hosting", "ObjectStorage"]).ShouldBeEmpty($"references of services/{stage}");
        }
    }

    [Fact]
    public void All_services_but_the_programs_are_libraries_and_one_program_runs_each()
    {
        var libraries = Solution.Projects("services").Except(Programs).ToArray();

        libraries.ShouldAllBe(library => !File.Exists(Path.Combine(Solution.Root, "services", library, "Program.cs")));
        Solution.References("services", "Service").ShouldBe([.. libraries, "Hosting"], ignoreOrder: true);
    }

    [Fact]
    public void The_command_hosts_every_service() =>
        Solution.Projects("services").Where(service => service != "Cli").Except(Solution.References("services", "Cli")).ShouldBeEmpty();

    [Fact]
    public void The_bus_stays_behind_the_hosting()
    {
        var allowed = new[] { Path.Combine("shared", "Hosting"), Path.Combine("services", "Coordinator") };
        Solution
            .Sources("services", "shared")
            .Where(path => File.ReadAllText(path).Contains("using MassTransit", StringComparison.Ordinal))
            .Select(path => Path.GetRelativePath(Solution.Root, path))
            .Where(path => !allowed.Any(folder => path.StartsWith(folder, StringComparison.Ordinal)))
            .ShouldBeEmpty();
        Solution
            .Projects("services")
            .Where(service =>
                Solution.Packages("services", service).Any(package => package.StartsWith("MassTransit", StringComparison.Ordinal))
            )
            .ShouldBeEmpty();
    }

    [Fact]
    public void The_object_store_stays_behind_its_project() =>
        Solution
            .Sources("services", "shared")
            .Where(path => File.ReadAllText(path).Contains("using Minio", StringComparison.Ordinal))
            .Select(path => Path.GetRelativePath(Solution.Root, path))
            .Where(path => !path.StartsWith(Path.Combine("shared", "ObjectStorage"), StringComparison.Ordinal))
            .ShouldBeEmpty();

    [Fact]
    public void Tensors_stay_out_of_the_pipeline()
    {
        foreach (var project in new[] { "Contracts", "Artifacts", "Imaging", "Datasets", "Pipeline", "ObjectStorage", "Hosting" })
        {
            Solution
                .Sources(Path.Combine("shared", project))
                .Where(path => File.ReadAllText(path).Contains("TorchSharp", StringComparison.Ordinal))
                .ShouldBeEmpty();
        }
    }

    /// <summary>What tests of several projects need is in the kit, compiled once.</summary>
    [Fact]
    public void No_test_project_compiles_the_files_of_another()
    {
        var projects = Directory.GetFiles(Path.Combine(Solution.Root, "tests"), "*.csproj", SearchOption.AllDirectories);

        projects.Select(Path.GetFileNameWithoutExtension).ShouldContain("ClipSae.TestKit");
        projects
            .SelectMany(path =>
                XDocument
                    .Load(path)
                    .Descendants("Compile")
                    .Select(item => item.Attribute("Include")?.Value ?? "")
                    .Where(included => included.Contains("..", StringComparison.Ordinal))
                    .Select(included => $"{Path.GetFileName(path)}: {included}")
            )
            .ShouldBeEmpty();
    }
}
