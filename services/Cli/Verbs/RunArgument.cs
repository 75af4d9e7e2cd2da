using System.CommandLine;

namespace ClipSae.Cli.Verbs;

/// <summary>The argument that names a run, or several.</summary>
internal static class RunArgument
{
    private const string Names = "A run's name, a part that only it has, or 'latest'";

    public static Argument<string> Create() => new("run") { Description = Names };

    public static Argument<string[]> CreateSeveral() =>
        new("run") { Description = Names + "; may be given several times", Arity = ArgumentArity.OneOrMore };
}
