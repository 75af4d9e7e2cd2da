namespace ClipSae.Pipeline.Runs;

/// <summary>A selector's <see cref="InputSelector.From"/>, taken apart.</summary>
public abstract record InputSource
{
    private InputSource() { }

    /// <summary>An input of the run, <c>dataset:shards/*</c>.</summary>
    public sealed record RunInput(string Pattern) : InputSource;

    /// <summary>An output of a stage's unit, <c>sae-training/*:sae</c>.</summary>
    public sealed record StageOutput(string Stage, string Unit, string Output) : InputSource;

    /// <exception cref="UserErrorException">The text is neither.</exception>
    public static InputSource Parse(string from)
    {
        var colon = from.IndexOf(':', StringComparison.Ordinal);
        UserErrorException.ThrowIf(
            colon <= 0 || colon == from.Length - 1,
            $"selector '{from}': expected 'kind:name' or 'stage/unit:output'"
        );

        var slash = from.IndexOf('/', 0, colon);
        return slash < 0 ? new RunInput(from) : new StageOutput(from[..slash], from[(slash + 1)..colon], from[(colon + 1)..]);
    }
}
