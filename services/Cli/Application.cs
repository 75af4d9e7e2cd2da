using System.CommandLine;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Cli.CommandLine;
using ClipSae.Datasets.Sources;

namespace ClipSae.Cli;

/// <summary>Runs one command line: parses it, runs the verb, and turns every failure into one line and an exit code.</summary>
internal static class Application
{
    public static async Task<int> RunAsync(string[] args, ConsoleStreams streams, TimeProvider time)
    {
        var parsed = CommandTree.Create().Parse(args);
        if (parsed.Action is not null && parsed.CommandResult.Command is not Verb || IsHelp(parsed))
        {
            if (ParseProblems.Describe(parsed) is { } atRoot && !IsHelp(parsed))
            {
                return Refuse(args, streams, atRoot);
            }

            return await parsed.InvokeAsync(new InvocationConfiguration { Output = streams.Out, Error = streams.Error });
        }

        return ParseProblems.Describe(parsed) is { } problem
            ? Refuse(args, streams, problem)
            : await ExecuteAsync((Verb)parsed.CommandResult.Command, parsed, streams, time);
    }

    private static bool IsHelp(ParseResult parsed) => parsed.Action is HelpWithExamples;

    private static async Task<int> ExecuteAsync(Verb verb, ParseResult parsed, ConsoleStreams streams, TimeProvider time)
    {
        var session = new Session(parsed, streams, time);
        using var interruption = new Interruption(line => session.Tell(line));
        try
        {
            session.RequireDataFolder();
            if (verb.Computes && session.NamesDevice)
            {
                session.UseDevice();
            }

            return await verb.ExecuteAsync(parsed, session, interruption.Token);
        }
        catch (Exception error) when (error is WrongUseException or UnsuitableDatasetException)
        {
            return Fail(session, error, error.Message, ExitCode.WrongUse);
        }
        catch (Exception error) when (error is UserErrorException or TimeoutException)
        {
            return Fail(session, error, error.Message, ExitCode.Failed);
        }
        catch (InterruptedException error)
        {
            return Fail(session, error, error.Message, ExitCode.Failed);
        }
        catch (OperationCanceledException error) when (interruption.Token.IsCancellationRequested)
        {
            return Fail(session, error, "stopped before its end; the same command starts again", ExitCode.Failed);
        }
        catch (UnauthorizedAccessException error)
        {
            // The path is in the message, and need not be one that was to be written.
            return Fail(session, error, $"no permission: {error.Message} Change its permissions, or choose another", ExitCode.Failed);
        }
        catch (Exception error) when (DiskErrors.Explain(error, session.DataFolder) is { } explained)
        {
            return Fail(session, error, explained.Message, ExitCode.Failed);
        }
        catch (IOException error)
        {
            // Whatever the system refuses to read or write; which path and why is in its message.
            return Fail(session, error, error.Message, ExitCode.Failed);
        }
        catch (Exception error)
        {
            return Fail(session, error, $"{error.GetType().Name}: {error.Message} (a defect; -v shows where)", ExitCode.Failed);
        }
    }

    private static int Refuse(string[] args, ConsoleStreams streams, string problem)
    {
        streams.Error.WriteLine($"clipsae: {problem}");
        if (args.Contains(GlobalOptions.Json.Name))
        {
            streams.Out.WriteLine(new JsonObject { ["error"] = problem }.ToJsonString());
        }

        return ExitCode.WrongUse;
    }

    private static int Fail(Session session, Exception error, string message, int code)
    {
        var line = message.ReplaceLineEndings(" ");
        session.Tell($"clipsae: {line}");
        if (session.Verbose)
        {
            session.Tell(error.ToString());
        }

        if (session.Json && !session.Answered)
        {
            session.Answer(new JsonObject { ["error"] = line }, _ => { });
        }

        return code;
    }
}
