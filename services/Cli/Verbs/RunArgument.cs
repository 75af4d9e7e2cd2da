using System.CommandLine;

namespace ClipSae.Cli;

/// <summary>The argument that names a run.</summary>
internal static class RunArgument
{
    public static Argument<string> Create() => new("run") { Description = "A run's name, a part that only it has, or 'latest'" };
}
