namespace ClipSae.Clip.Checkpoints;

/// <summary>Under whose names a checkpoint keeps its weights.</summary>
public enum KeyLayout
{
    /// <summary>OpenAI's, which open_clip uses too.</summary>
    OpenAi,

    /// <summary>open_clip's with a text tower of its own under <c>text.</c></summary>
    OpenClipText,

    /// <summary>CLIPModel's of <c>transformers</c>, whole or its text encoder alone.</summary>
    HuggingFace,
}
