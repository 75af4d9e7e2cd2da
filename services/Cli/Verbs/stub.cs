using System.CommandLine;

namespace ClipSae.Cli;

internal sealed class EvaluateVerb() : Verb("evaluate", "x", "clipsae evaluate")
{
    public override Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel) => throw new Contracts.UserErrorException("no");
}
