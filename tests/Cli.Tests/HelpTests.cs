using ClipSae.Cli.CommandLine;

namespace ClipSae.Cli.Tests;

public class HelpTests
{
    public static TheoryData<string> Verbs => [.. CommandTree.Create().Subcommands.Select(verb => verb.Name)];

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task Every_verb_shows_its_options_and_examples_that_parse(string verb)
    {
        var run = await CommandRun.OfAsync(verb, "--help");

        run.Code.ShouldBe(0);
        run.Out.ShouldContain("--data <FOLDER>");
        var examples = run
            .Out.Split('\n')
            .SkipWhile(line => !line.StartsWith("Examples:", StringComparison.Ordinal))
            .Skip(1)
            .Select(line => line.Trim())
            .Where(line => line.Length > 0)
            .ToArray();
        examples[0].ShouldStartWith("clipsae " + verb);
        foreach (var example in examples)
        {
            example.ShouldStartWith("clipsae ");
            var parsed = CommandTree.Create().Parse(example["clipsae ".Length..].Split(" > ")[0]);
            ParseProblems.Describe(parsed).ShouldBeNull($"example: {example}");
        }
    }

    [Fact]
    public async Task The_command_lists_every_verb_and_the_exit_codes()
    {
        var run = await CommandRun.OfAsync("--help");

        run.Code.ShouldBe(0);
        run.Out.ShouldContain("Exit codes: 0 done, 1 failed, 2 wrong use.");
        foreach (var verb in Verbs)
        {
            run.Out.ShouldContain($"\n  {verb.Data} ");
        }
    }
}
