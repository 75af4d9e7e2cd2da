namespace ClipSae.Cli.CommandLine;

/// <summary>The command line itself is at fault; the process ends with <see cref="ExitCode.WrongUse"/>.</summary>
internal sealed class WrongUseException : Exception
{
    public WrongUseException(string message)
        : base(message) { }

    public WrongUseException(string message, Exception innerException)
        : base(message, innerException) { }
}
