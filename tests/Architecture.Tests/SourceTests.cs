using System.Text.RegularExpressions;
using ClipSae.TestKit.Sources;

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
        const int MaxLength = 400; // one argument, one line of a chain each
        Solution
            .Sources("services", "shared")
            .Where(path => File.ReadLines(path).Count() > MaxLength)
            .Select(path => Path.GetRelativePath(Solution.Root, path))
            .ShouldBeEmpty();
    }

    /// <summary>
    /// The formatter breaks code at the width that <c>.editorconfig</c> declares; it leaves comments and literals as they are. Only the
    /// lines of a raw string that has several may be wider: a break in them is a break in the text.
    /// </summary>
    [Fact]
    public void Lines_fit_the_declared_width()
    {
        var width = int.Parse(
            MaxLineLength().Match(File.ReadAllText(Path.Combine(Solution.Root, ".editorconfig"))).Groups[1].Value,
            System.Globalization.CultureInfo.InvariantCulture
        );
        Solution
            .Sources("services", "shared", "tests")
            .SelectMany(path =>
                WiderThan(width, File.ReadAllLines(path)).Select(line => $"{Path.GetRelativePath(Solution.Root, path)}: {line}")
            )
            .ShouldBeEmpty();
    }

    /// <summary>What a user may leave out says what it is then: who reads the options need not read the code.</summary>
    [Fact]
    public void Options_state_their_defaults()
    {
        var options = Solution
            .Sources("services")
            .Where(path => Path.GetFileName(path) is { } name && OptionsFile().IsMatch(name))
            .ToArray();
        options.Length.ShouldBeGreaterThan(8);
        options
            .SelectMany(path =>
                Member()
                    .Matches(File.ReadAllText(path))
                    .Where(member => !Default().IsMatch(member.Groups[1].Value))
                    .Select(member => $"{Path.GetFileName(path)}: {member.Groups[2].Value}")
            )
            .ShouldBeEmpty();
    }

    /// <summary>A name that one stage writes and another reads is written once: <c>OutputNames</c>, <c>InputNames</c>.</summary>
    [Fact]
    public void Outputs_and_inputs_of_stages_are_named_by_constants() =>
        Solution
            .Sources("services", Path.Combine("shared", "Pipeline"))
            .SelectMany(path => NameInPlace().Matches(File.ReadAllText(path)).Select(found => $"{Path.GetFileName(path)}: {found.Value}"))
            .ShouldBeEmpty();

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

    /// <summary>
    /// Lines that are too wide even without what stands between their first quotation mark and their last. A line of markup is part of a
    /// literal.
    /// </summary>
    private static IEnumerable<string> WiderThan(int width, string[] lines)
    {
        var isRaw = false;
        foreach (var line in lines)
        {
            var wasRaw = isRaw;
            isRaw ^= (line.Split("\"\"\"").Length - 1) % 2 == 1;
            if (line.Length > width && !wasRaw && !isRaw)
            {
                yield return line.Trim();
            }
        }
    }

    [GeneratedRegex(@"^max_line_length = (\d+)$", RegexOptions.Multiline)]
    private static partial Regex MaxLineLength();

    [GeneratedRegex("(Utils?|Helpers?|Manager|Common)$")]
    private static partial Regex NamesOfNothing();

    [GeneratedRegex(@"\bTODO\b|NotImplementedException")]
    private static partial Regex LeftForLater();

    // Those of stages and of pretraining; a record without a value of its own has no default.
    [GeneratedRegex(
        @"^(?:Extraction|Sae|AttackCuration|FineTuning|Pretraining|Conversion|Evaluation|Probe|Report)Options\.cs$|^GroupLearningRates\.cs$"
    )]
    private static partial Regex OptionsFile();

    [GeneratedRegex(
        @"((?:^ {4}///[^\n]*\n)*)(?:^ {4}\[[^\n]*\n)*^ {4}public [^\n=({;]+? (\w+)(?: \{ get; init; \}|\n {4}\{\n {8}get;)",
        RegexOptions.Multiline
    )]
    private static partial Regex Member();

    [GeneratedRegex("[Dd]efault|null")]
    private static partial Regex Default();

    [GeneratedRegex(@"\b(?:context|unit)\.(?:FetchAsync|Input|InputsUnder)\(""[^""]+""|\b[Oo]utputs\[""[^""]+""\]|InputSelector\(""[a-z]")]
    private static partial Regex NameInPlace();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();
}
