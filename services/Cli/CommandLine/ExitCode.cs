namespace ClipSae.Cli.CommandLine;

/// <summary>What the process answers to its caller.</summary>
internal static class ExitCode
{
    /// <summary>The verb did what it says.</summary>
    public const int Done = 0;

    /// <summary>The verb was understood, but did not reach its end: a stage failed, an input is damaged, the user interrupted.</summary>
    public const int Failed = 1;

    /// <summary>
    /// The command line cannot be carried out as it is: wrong flag, unknown verb, stage or parameter, a path that does not exist, a folder
    /// without pictures or with one class.
    /// </summary>
    public const int WrongUse = 2;
}
