namespace ClipSae.Cli.CommandLine;

/// <summary>The user stopped the command while a run was at work; nothing is lost.</summary>
internal sealed class InterruptedException(string run, Exception innerException)
    : Exception(
        $"stopped; run {run} is kept: run the same command again to continue where it stopped, or 'clipsae cancel {run}' to end it",
        innerException
    );
