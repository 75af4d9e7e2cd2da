using ClipSae.Cli.CommandLine;
using ClipSae.Pipeline.Stages;
using ClipSae.ZeroShotEvaluation.Sets;

namespace ClipSae.Cli.Running;

/// <summary>
/// A set to evaluate on, as the command line gives it: <c>NAME=FOLDER</c>, or <c>NAME=FILE</c> for a table or list of annotations in its
/// folder.
/// </summary>
/// <param name="Name">Its name.</param>
/// <param name="Folder">Where its images are.</param>
/// <param name="File">The annotations, where they were named.</param>
internal sealed record GivenSet(string Name, string Folder, string? File = null)
{
    /// <summary>Names that say what is asked of a set, for help texts.</summary>
    public static IReadOnlyList<string> KnownNames { get; } =
    ["clean", "attacked", "attacked-heldout", "words", "words-heldout", "retrieval"];

    /// <summary>
    /// All sets that an option names; those in an object store are brought here. A name that only nearly says its protocol is reported.
    /// </summary>
    /// <exception cref="WrongUseException">A text has another form, a name is given twice, or there is nothing at a path.</exception>
    public static async Task<IReadOnlyList<GivenSet>> ParseAllAsync(
        string option,
        IReadOnlyList<string>? given,
        Session session,
        CancellationToken cancel
    )
    {
        // Before anything is fetched: under one name two sets would become one.
        GivenNames.RequireDistinct(
            option,
            (given ?? [])
                .Where(text => text.Contains('=', StringComparison.Ordinal))
                .Select(text => text[..text.IndexOf('=', StringComparison.Ordinal)])
        );
        var sets = new List<GivenSet>();
        foreach (var text in given ?? [])
        {
            var set = await ParseAsync(option, text, session, cancel);
            if (
                !EvaluationProtocol.SharesClasses(set.Name)
                && !EvaluationProtocol.IsRetrieval(set.Name)
                && NearMatches.Of(set.Name, KnownNames) is { Count: > 0 } near
            )
            {
                session.Tell(
                    $"{option} {set.Name}: did you mean {string.Join(" or ", near)}? A set of any other name is scored by what "
                        + "its images carry, over classes of its own"
                );
            }

            sets.Add(set);
        }

        return sets;
    }

    private static async Task<GivenSet> ParseAsync(string option, string given, Session session, CancellationToken cancel)
    {
        var equals = given.IndexOf('=', StringComparison.Ordinal);
        WrongUseException.ThrowIf(
            equals <= 0 || !given[..equals].All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_'),
            $"{option} {given}: expected NAME=FOLDER, for example attacked=sets/attacked"
        );

        var path = GivenPath.FileOrFolder(option, (await RemotePath.LocalAsync(option, given[(equals + 1)..], session, cancel))!);
        return System.IO.File.Exists(path)
            ? new GivenSet(given[..equals], Path.GetDirectoryName(path)!, path)
            : new GivenSet(given[..equals], path);
    }
}
