using System.Xml.Linq;
using ClipSae.Servers;

namespace ClipSae.TestKit.Sources;

/// <summary>The projects and sources of the solution, as they lie in the folder.</summary>
public static class Solution
{
    public static string Root { get; } = SolutionFolder.At();

    /// <summary>Projects under <c>services</c> or <c>shared</c>: name and folder.</summary>
    public static IReadOnlyList<string> Projects(string group) =>
        [
            .. Directory
                .GetDirectories(Path.Combine(Root, group))
                .Where(folder => File.Exists(ProjectFile(folder)))
                .Select(folder => Path.GetFileName(folder))
                .Order(StringComparer.Ordinal),
        ];

    /// <summary>Names of the projects that a project references directly.</summary>
    public static IReadOnlyList<string> References(string group, string project) =>
        [.. Items(group, project, "ProjectReference").Select(path => Path.GetFileNameWithoutExtension(path)["ClipSae.".Length..])];

    /// <summary>Packages that a project references directly.</summary>
    public static IReadOnlyList<string> Packages(string group, string project) => [.. Items(group, project, "PackageReference")];

    /// <summary>Source files of the product, without what the build writes.</summary>
    public static IEnumerable<string> Sources(params string[] groups) =>
        groups
            .SelectMany(group => Directory.EnumerateFiles(Path.Combine(Root, group), "*.cs", SearchOption.AllDirectories))
            .Where(path =>
                !path.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
                && !path.Contains($"{Path.DirectorySeparatorChar}bin{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
            );

    private static IEnumerable<string> Items(string group, string project, string kind) =>
        XDocument
            .Load(ProjectFile(Path.Combine(Root, group, project)))
            .Descendants(kind)
            .Select(item => item.Attribute("Include")!.Value.Replace('\\', '/'));

    private static string ProjectFile(string folder) => Path.Combine(folder, $"ClipSae.{Path.GetFileName(folder)}.csproj");
}
