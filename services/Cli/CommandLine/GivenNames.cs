namespace ClipSae.Cli.CommandLine;

/// <summary>Names that the command line gives to what it lists.</summary>
internal static class GivenNames
{
    /// <exception cref="WrongUseException">A name is given twice.</exception>
    public static void RequireDistinct(string option, IEnumerable<string> names)
    {
        if (names.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new WrongUseException($"{option}: two are named {twice.Key}: give each a name of its own, {option} NAME=PATH");
        }
    }
}
