namespace ClipSae.Cli;

/// <summary>A folder under a name, as the command line gives it: <c>NAME=FOLDER</c>.</summary>
internal static class NamedFolder
{
    /// <exception cref="WrongUseException">The text has another form, or there is no such folder.</exception>
    public static (string Name, string Folder) Parse(string option, string given)
    {
        var equals = given.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 && given[..equals].All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_')
            ? (given[..equals], GivenPath.Folder(option, given[(equals + 1)..])!)
            : throw new WrongUseException($"{option} {given}: expected NAME=FOLDER, for example attacked=sets/attacked");
    }
}
