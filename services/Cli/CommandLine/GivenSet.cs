namespace ClipSae.Cli;

/// <summary>A set to evaluate on, as the command line gives it: <c>NAME=FOLDER</c>, or <c>NAME=FILE</c> for a table or list of annotations in its folder.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Folder">Where its images are.</param>
/// <param name="File">The annotations, where they were named.</param>
internal sealed record GivenSet(string Name, string Folder, string? File = null)
{
    /// <exception cref="WrongUseException">The text has another form, or there is nothing at that path.</exception>
    public static async Task<GivenSet> ParseAsync(string option, string given, Session session, CancellationToken cancel)
    {
        var equals = given.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0 || !given[..equals].All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_'))
        {
            throw new WrongUseException($"{option} {given}: expected NAME=FOLDER, for example attacked=sets/attacked");
        }

        var path = GivenPath.FileOrFolder(option, (await RemotePath.LocalAsync(option, given[(equals + 1)..], session, cancel))!);
        return System.IO.File.Exists(path) ? new GivenSet(given[..equals], Path.GetDirectoryName(path)!, path) : new GivenSet(given[..equals], path);
    }

    /// <summary>Each of several sets.</summary>
    /// <exception cref="WrongUseException">One has another form, or there is nothing at its path.</exception>
    public static async Task<IReadOnlyList<GivenSet>> ParseAllAsync(string option, IEnumerable<string>? given, Session session, CancellationToken cancel)
    {
        var sets = new List<GivenSet>();
        foreach (var one in given ?? [])
        {
            sets.Add(await ParseAsync(option, one, session, cancel));
        }

        return sets;
    }
}
