using ClipSae.Cli.CommandLine;
using ClipSae.Pipeline.Events;

namespace ClipSae.Cli.Running;

/// <summary>
/// A checkpoint as the command line gives it: a path, <c>s3://BUCKET/PATH</c>, or the name of a run, which stands for the weights that it
/// tuned.
/// </summary>
internal static class GivenModel
{
    private const string Latest = "latest";

    /// <summary>The full path of the checkpoint: a file or a folder.</summary>
    /// <param name="option">What it is called on the command line.</param>
    /// <param name="given">What was typed.</param>
    /// <exception cref="WrongUseException">There is nothing at that path and no run of that name, or the run has no tuned
    /// weights.</exception>
    public static async Task<string> PathAsync(string option, string given, Session session, CancellationToken cancel)
    {
        var local = (await RemotePath.LocalAsync(option, given, session, cancel))!;
        return !Path.Exists(local) && OfRun(option, local, session.DataFolder) is { } tuned ? tuned : GivenPath.FileOrFolder(option, local);
    }

    private static string? OfRun(string option, string given, string dataFolder)
    {
        var folder = Path.Combine(dataFolder, "runs");
        if (!Directory.Exists(folder) || given.Contains(Path.DirectorySeparatorChar, StringComparison.Ordinal))
        {
            return null;
        }

        string[] runs = [.. Directory.GetDirectories(folder).Select(run => Path.GetFileName(run)).Order(StringComparer.Ordinal)];
        string Tuned(string run) => Path.Combine(folder, run, RunFolder.TunedName);
        if (given == Latest)
        {
            return runs.Where(RunName.TellsTime)
                .Concat(runs.Where(run => !RunName.TellsTime(run)))
                .Select(Tuned)
                .Where(File.Exists)
                .LastOrDefault()
                ?? throw new WrongUseException($"{option} {Latest}: no run in {dataFolder} has a tuned model; 'clipsae runs' lists them");
        }

        string[] matching = runs.Contains(given, StringComparer.Ordinal)
            ? [given]
            : [.. runs.Where(run => run.Contains(given, StringComparison.Ordinal))];
        return matching switch
        {
            [] => null,
            [var run] when File.Exists(Tuned(run)) => Tuned(run),
            [var run] => throw new WrongUseException(
                $"{option}: run {run} has no tuned model: it did not finish, or no arm was better than the base; "
                    + $"'clipsae show {run}' says which"
            ),
            _ => throw new WrongUseException(
                $"{option}: {given} is part of the names of {matching.Length} runs: {string.Join(", ", matching.Take(5))}"
            ),
        };
    }
}
