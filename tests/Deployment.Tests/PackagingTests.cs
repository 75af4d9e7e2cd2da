using System.Text.RegularExpressions;
using ClipSae.TestKit.Sources;

namespace ClipSae.Deployment.Tests;

/// <summary>What people install without a clone is made for the same platforms everywhere, and libtorch is named for each.</summary>
public sealed partial class PackagingTests
{
    private static string[] Platforms { get; } = Read("services/Cli/ClipSae.Cli.csproj", Tool());

    [Fact]
    public void The_script_makes_a_package_for_every_platform_that_the_tool_names()
    {
        Platforms.Length.ShouldBe(3);
        Read("infra/pack.sh", Default()).ShouldBe(Platforms, ignoreOrder: true);
        Read("infra/pack.sh", Known()).ShouldBe(Platforms, ignoreOrder: true);
    }

    [Fact]
    public void Libtorch_is_there_for_every_platform()
    {
        var natives = File.ReadAllText(Path.Combine(Solution.Root, "infra", "build", "Natives.targets"));
        var pinned = File.ReadAllText(Path.Combine(Solution.Root, "Directory.Packages.props"));

        Platforms.ShouldAllBe(platform =>
            natives.Contains($"Include=\"libtorch-cpu-{platform}\"") && pinned.Contains($"Include=\"libtorch-cpu-{platform}\"")
        );
    }

    private static string[] Read(string path, Regex list) =>
        list.Match(File.ReadAllText(Path.Combine(Solution.Root, path)))
            .Groups[1]
            .Value.Split([' ', ';', '|'], StringSplitOptions.RemoveEmptyEntries);

    [GeneratedRegex("<ToolPackageRuntimeIdentifiers>(.*)</ToolPackageRuntimeIdentifiers>")]
    private static partial Regex Tool();

    [GeneratedRegex(@"\|\| set -- (.*)\n")]
    private static partial Regex Default();

    [GeneratedRegex(@"case \$platform in (.*)\) ;; \*\)")]
    private static partial Regex Known();
}
