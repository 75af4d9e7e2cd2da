using System.Text.RegularExpressions;
using ClipSae.TestKit.Sources;

namespace ClipSae.Architecture.Tests;

/// <summary>
/// Within a project, folders need each other one way only: what is below can be read, tested and moved without what is above. The files
/// beside the folders are above them.
/// </summary>
public partial class FolderArrowTests
{
    private const string Root = "(root)";

    public static TheoryData<string, string> Projects =>
        [
            .. new[] { "shared", "services" }.SelectMany(group =>
                Solution.Projects(group).Select(project => new TheoryDataRow<string, string>(group, project))
            ),
        ];

    [Theory]
    [MemberData(nameof(Projects))]
    public void Folders_point_one_way(string group, string project)
    {
        var root = Path.Combine(Solution.Root, group, project);
        var sources = Solution
            .Sources(Path.Combine(group, project))
            .Select(path =>
                (
                    Name: Path.GetFileName(path),
                    Folder: Path.GetRelativePath(root, path).Split(Path.DirectorySeparatorChar) is [var folder, _, ..] ? folder : Root,
                    Text: File.ReadAllText(path)
                )
            )
            .ToArray();
        var homes = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var source in sources)
        {
            foreach (Match type in Declaration().Matches(source.Text))
            {
                homes[type.Groups[1].Value] = source.Folder;
            }
        }

        var uses = sources
            .SelectMany(source =>
                Word()
                    .Matches(Uncommented().Replace(source.Text, " "))
                    .Select(word => word.Value)
                    .Distinct(StringComparer.Ordinal)
                    .Where(word => homes.TryGetValue(word, out var home) && home != source.Folder)
                    .Select(word => (From: source.Folder, To: homes[word], Use: $"{source.Name} uses {word}"))
            )
            .ToLookup(use => (use.From, use.To), use => use.Use);
        var needs = uses.Select(arrow => arrow.Key).ToLookup(arrow => arrow.From, arrow => arrow.To);

        foreach (var folder in homes.Values.Distinct(StringComparer.Ordinal))
        {
            var back = Reached(folder, needs).Where(reached => needs[reached].Contains(folder)).ToArray();
            back.SelectMany(last => uses[(last, folder)])
                .ShouldBeEmpty($"{group}/{project}: {folder} needs {string.Join(", ", back)}, which must not need it");
        }
    }

    /// <summary>Every folder that one needs, itself or through others.</summary>
    private static HashSet<string> Reached(string folder, ILookup<string, string> needs)
    {
        var (reached, open) = (new HashSet<string>(StringComparer.Ordinal), new Queue<string>([folder]));
        while (open.TryDequeue(out var next))
        {
            foreach (var needed in needs[next].Where(needed => reached.Add(needed)))
            {
                open.Enqueue(needed);
            }
        }

        return reached;
    }

    [GeneratedRegex(@"^(?:public|internal)[ \w]*?\b(?:class|record struct|record|struct|interface|enum)\s+(\w+)", RegexOptions.Multiline)]
    private static partial Regex Declaration();

    [GeneratedRegex(@"(?<![.\w])[A-Z]\w*")]
    private static partial Regex Word();

    [GeneratedRegex(@"//[^\n]*|""[^""\n]*""")]
    private static partial Regex Uncommented();
}
