namespace ClipSae.Results.Evaluation;

/// <summary>Why an image is shown.</summary>
public enum ExampleKind
{
    /// <summary>The base is wrong, another model right.</summary>
    Mended,

    /// <summary>All shown models are wrong.</summary>
    BothWrong,

    /// <summary>The base is right, another model wrong.</summary>
    Worse,
}
