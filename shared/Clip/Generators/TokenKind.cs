namespace ClipSae.Clip.Generators;

/// <summary>Which tokens of a prompt a metric is about. An image generator is given all of them, padding included.</summary>
public enum TokenKind
{
    /// <summary>The start of the text, which looks the same before every prompt.</summary>
    Start,

    /// <summary>The prompt's own tokens.</summary>
    Prompt,

    /// <summary>The end of the text and the padding after it.</summary>
    Padding,

    /// <summary>One state for the whole text, projected where the encoder has a projection.</summary>
    Pooled,
}
