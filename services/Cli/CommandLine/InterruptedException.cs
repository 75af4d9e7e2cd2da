namespace ClipSae.Cli;

/// <summary>The user stopped the command while a run was at work; nothing is lost.</summary>
internal sealed class InterruptedException(string run, Exception innerException)
    : Exception($"stopped; run {run} is kept: give the same command again to go on where it was, or 'clipsae cancel {run}' to end it", innerException);
