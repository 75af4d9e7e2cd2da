using System.Text.RegularExpressions;
using ClipSae.TestKit.Sources;

namespace ClipSae.Architecture.Tests;

/// <summary>The documents: where they lie, that what they lead to is there, and that they tell of the version that is built.</summary>
public sealed partial class DocumentTests
{
    // What people look for, and what tools find nowhere else.
    private static readonly string[] Root =
    [
        "CITATION.cff",
        "ClipSae.sln",
        "Directory.Build.props",
        "Directory.Packages.props",
        "LICENSE",
        "README.md",
        "docker-compose.yml",
        "global.json",
        ".dockerignore",
        ".editorconfig",
        ".gitattributes",
        ".gitignore",
    ];

    public static TheoryData<string> Documents => [.. Paths()];

    [Fact]
    public void The_root_holds_no_more_than_it_must() =>
        Directory
            .GetFiles(Solution.Root)
            .Select(Path.GetFileName)
            .Where(name => name != ".env" && name != ".git")
            .ShouldBe(Root, ignoreOrder: true);

    [Theory]
    [MemberData(nameof(Documents))]
    public void What_a_document_leads_to_is_there(string document)
    {
        var folder = Path.GetDirectoryName(Path.Combine(Solution.Root, document))!;
        var places = Link()
            .Matches(File.ReadAllText(Path.Combine(Solution.Root, document)))
            .Select(link => link.Groups[1].Value)
            .Where(place => !place.Contains(':'))
            .ToArray();

        places.Where(place => place[0] != '#').ShouldAllBe(place => Path.Exists(Path.Combine(folder, place.Split('#')[0])));
    }

    [Fact]
    public void Sections_that_comments_cite_are_on_the_page_of_methods()
    {
        var sections = Heading()
            .Matches(File.ReadAllText(Path.Combine(Solution.Root, "infra", "docs", "science.md")))
            .Select(heading => heading.Groups[1].Value)
            .ToHashSet();
        var cited = new[] { "services", "shared" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Solution.Root, folder), "*.cs", SearchOption.AllDirectories))
            .SelectMany(file => Citation().Matches(File.ReadAllText(file)))
            .SelectMany(citation => Number().Matches(citation.Value))
            .Select(number => number.Value)
            .ToHashSet();

        cited.ShouldNotBeEmpty();
        cited.ShouldBeSubsetOf(sections);
    }

    [Fact]
    public void The_version_is_told_everywhere()
    {
        var version = Version().Match(File.ReadAllText(Path.Combine(Solution.Root, "infra", "build", "Compilation.props"))).Groups[1].Value;

        File.ReadAllLines(Path.Combine(Solution.Root, "CITATION.cff")).ShouldContain($"version: {version}");
        File.ReadAllLines(Path.Combine(Solution.Root, "infra", "docs", "changelog.md")).ShouldContain($"## {version}");
        File.ReadLines(Path.Combine(Solution.Root, "infra", "kubernetes", "kustomization.yaml"))
            .Select(line => line.Trim())
            .Where(line => line.StartsWith("newTag:", StringComparison.Ordinal))
            .ShouldBe([$"newTag: \"{version}\""]);
    }

    private static IEnumerable<string> Paths() =>
        new[] { ".", "infra/docs", ".github" }
            .SelectMany(folder => Directory.GetFiles(Path.Combine(Solution.Root, folder), "*.md"))
            .Select(file => Path.GetRelativePath(Solution.Root, file));

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^## (\d+)\. ", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"science(?: of \w+)?, sections? \d+(?:(?:,| and) \d+)*")]
    private static partial Regex Citation();

    [GeneratedRegex(@"\d+")]
    private static partial Regex Number();

    [GeneratedRegex("<Version>(.*)</Version>")]
    private static partial Regex Version();
}
