using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace ClipSae.Cli.CommandLine;

/// <summary>The library's help, followed by the verb's examples (or, for the command alone, by the exit codes).</summary>
internal sealed class HelpWithExamples(HelpAction standard) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        standard.Invoke(parseResult);
        var output = parseResult.InvocationConfiguration.Output;
        if (parseResult.CommandResult.Command is Verb verb)
        {
            output.WriteLine("Examples:");
            foreach (var example in verb.Examples)
            {
                output.WriteLine($"  {example}");
            }
        }
        else
        {
            output.WriteLine("Exit codes: 0 done, 1 failed, 2 wrong use. 'clipsae VERB --help' shows a verb's options and examples.");
        }

        output.WriteLine();
        return ExitCode.Done;
    }
}
