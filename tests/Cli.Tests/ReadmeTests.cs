using System.Text.RegularExpressions;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Diagnosis;
using ClipSae.Cli.Running;
using ClipSae.Hosting.Service;
using ClipSae.Hosting.Settings;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;
using ClipSae.Service;
using Microsoft.Extensions.DependencyInjection;

namespace ClipSae.Cli.Tests;

/// <summary>What the documents tell a reader to type is understood.</summary>
public sealed partial class ReadmeTests : IDisposable
{
    private static readonly string Root = FindRoot();

    private readonly ServiceProvider _services = Stages();

    public static TheoryData<string> Documents =>
        [
            "README.md",
            .. Directory
                .EnumerateFiles(Path.Combine(Root, "infra/docs"), "*.md")
                .Select(path => Path.GetRelativePath(Root, path))
                .Order(StringComparer.Ordinal),
        ];

    public void Dispose() => _services.Dispose();

    [Theory]
    [MemberData(nameof(Documents))]
    public void Every_command_line_is_understood(string document)
    {
        foreach (var line in CommandLines(Read(document)))
        {
            ParseProblems.Describe(CommandTree.Create().Parse(line)).ShouldBeNull(line);
        }
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void Every_parameter_that_is_set_exists_and_takes_its_value(string document)
    {
        foreach (Match found in SetOption().Matches(Read(document)))
        {
            RequireKnown(found.Groups[1].Value);
        }
    }

    [Fact]
    public void Every_remedy_of_doctor_names_a_parameter_that_exists() => MachineChecks.NamedChanges.ShouldAllBe(change => IsKnown(change));

    [Fact]
    public void The_settings_table_has_a_row_for_every_setting_and_no_other()
    {
        var named = new HashSet<string>(StringComparer.Ordinal);
        foreach (
            var row in Read("infra/docs/distributed.md")
                .Split('\n')
                .Where(line => line.StartsWith("| `ClipSae__", StringComparison.Ordinal))
        )
        {
            var first = "";
            foreach (Match name in Setting().Matches(row.Split('|')[1]))
            {
                first = name.Value.StartsWith("ClipSae", StringComparison.Ordinal)
                    ? name.Value
                    : first[..first.LastIndexOf("__", StringComparison.Ordinal)] + name.Value;
                named.Add(first).ShouldBeTrue(first);
            }
        }

        named.Order(StringComparer.Ordinal).ShouldBe(ClipSaeSettings.Names.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_verb_and_every_section_of_parameters_is_named()
    {
        var readme = Read("README.md");

        CommandTree.Create().Subcommands.ShouldAllBe(verb => readme.Contains($"`{verb.Name}`"));
        ParameterSections
            .All.Where(pair => pair.Stage != ParameterSections.Report)
            .ShouldAllBe(pair => readme.Contains($"| `{pair.Section}` |"));
    }

    /// <summary>Pages link to each other and to pictures by paths that are there.</summary>
    [Theory]
    [MemberData(nameof(Documents))]
    public void Every_link_into_the_repository_leads_somewhere(string document)
    {
        foreach (Match link in Link().Matches(Read(document)))
        {
            var target = Path.Combine(Root, Path.GetDirectoryName(document)!, link.Groups[1].Value);
            (File.Exists(target) || Directory.Exists(target)).ShouldBeTrue($"{document}: {link.Groups[1].Value}");
        }
    }

    [Fact]
    public void The_first_page_stays_short() => Read("README.md").Split('\n').Length.ShouldBeLessThanOrEqualTo(250);

    private bool IsKnown(string change)
    {
        RequireKnown(change);
        return true;
    }

    private void RequireKnown(string change)
    {
        var stages = _services.GetServices<IStage>().ToDictionary(stage => stage.Name, StringComparer.Ordinal);
        var defaults = StageDefaults.Of(stages.Values);
        defaults.Keys.ShouldBe(stages.Keys, ignoreOrder: true);
        var parameters = ParameterOverrides.Apply([], [change], defaults);
        RunOptions.RequirePossible(parameters, stages, defaults);
    }

    private static IEnumerable<string> CommandLines(string document) =>
        Block()
            .Matches(Continued().Replace(document, " "))
            .Concat(Inline().Matches(document))
            .Select(found => Ending().Replace(found.Groups[1].Value, ""));

    private static ServiceProvider Stages()
    {
        var services = new ServiceCollection().AddLogging().AddSingleton(TimeProvider.System);
        StageCatalogue.AddAll(services);
        return services.BuildServiceProvider();
    }

    private static string Read(string document) => File.ReadAllText(Path.Combine(Root, document));

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "ClipSae.sln")))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        return folder;
    }

    [GeneratedRegex(@"^ {4,}(?:dotnet run(?: -p:\S+)? --project services/Cli --|clipsae) ([^\n]+)", RegexOptions.Multiline)]
    private static partial Regex Block();

    // A verb alone is a name, and no command line.
    [GeneratedRegex(@"`clipsae ([a-z-]+ [^`\n]+)`")]
    private static partial Regex Inline();

    [GeneratedRegex(@"\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"\s*\\\n\s*")]
    private static partial Regex Continued();

    // A remark, a redirection, or another command after it.
    [GeneratedRegex(@"(\s+#|\s+>|\s*&&|\s*;|\s*\|).*$")]
    private static partial Regex Ending();

    [GeneratedRegex(@"--set ([a-z][\w.]*=[^\s`…]+)")]
    private static partial Regex SetOption();

    [GeneratedRegex(@"(?<=`)(?:ClipSae)?__\w+(?=`)")]
    private static partial Regex Setting();
}
