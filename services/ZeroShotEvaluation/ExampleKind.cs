namespace ClipSae.ZeroShotEvaluation;

/// <summary>Why an image is shown.</summary>
public enum ExampleKind
{
    /// <summary>The base is wrong, the tuned model right.</summary>
    Mended,

    /// <summary>Both are wrong.</summary>
    BothWrong,

    /// <summary>The base is right, the tuned model wrong.</summary>
    Worse,
}
