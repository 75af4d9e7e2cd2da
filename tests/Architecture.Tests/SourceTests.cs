using System.Text.RegularExpressions;

namespace ClipSae.Architecture.Tests;

public partial class SourceTests
{
    [Fact]
    public void No_file_is_named_after_nothing() =>
        Solution
            .Sources("services", "shared", "tests")
            .Select(path => Path.GetFileNameWithoutExtension(path))
            .Where(name => NamesOfNothing().IsMatch(name))
            .ShouldBeEmpty();

    [Fact]
    public void Nothing_is_left_for_later() =>
        Solution.Sources("services", "shared").Where(path => LeftForLater().IsMatch(File.ReadAllText(path))).ShouldBeEmpty();

    [Fact]
    public void Files_stay_readable()
    {
        const int MaxLength = 330; // about 300, as the style asks, with room for a table
        Solution
            .Sources("services", "shared")
            .Where(path => File.ReadLines(path).Count() > MaxLength)
            .Select(path => Path.GetRelativePath(Solution.Root, path))
            .ShouldBeEmpty();
    }

    [Fact]
    public void Namespaces_follow_projects()
    {
        foreach (var group in new[] { "services", "shared" })
        {
            foreach (var project in Solution.Projects(group))
            {
                Solution
                    .Sources(Path.Combine(group, project))
                    .Select(path =>
                        (Path: Path.GetRelativePath(Solution.Root, path), Namespace: NamespaceLine().Match(File.ReadAllText(path)))
                    )
                    .Where(file =>
                        file.Namespace.Success
                        && !$"{file.Namespace.Groups[1].Value}.".StartsWith($"ClipSae.{project}.", StringComparison.Ordinal)
                    )
                    .ShouldBeEmpty();
            }
        }
    }

    [GeneratedRegex("(Utils?|Helpers?|Manager|Common)$")]
    private static partial Regex NamesOfNothing();

    [GeneratedRegex(@"\bTODO\b|NotImplementedException")]
    private static partial Regex LeftForLater();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();
}
