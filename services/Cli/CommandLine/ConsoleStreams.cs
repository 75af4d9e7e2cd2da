namespace ClipSae.Cli.CommandLine;

/// <summary>Where the program writes: answers on <paramref name="Out"/>, progress and errors on <paramref name="Error"/>.</summary>
/// <param name="IsErrorInteractive">Whether <paramref name="Error"/> is a terminal that lines can be redrawn on.</param>
/// <param name="Environment">Reads an environment variable.</param>
internal sealed record ConsoleStreams(TextWriter Out, TextWriter Error, bool IsErrorInteractive, Func<string, string?> Environment)
{
    public static ConsoleStreams System() =>
        new(
            Console.Out,
            Console.Error,
            !Console.IsErrorRedirected && global::System.Environment.GetEnvironmentVariable("TERM") is not "dumb",
            global::System.Environment.GetEnvironmentVariable
        );
}
