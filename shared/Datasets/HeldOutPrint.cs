namespace ClipSae.Datasets;

/// <summary>Words and faces kept for evaluation: pictures recorded as showing one have no part in curation or fine-tuning.</summary>
/// <param name="Words">Words, compared as they are.</param>
/// <param name="Fonts">Names of faces.</param>
public sealed record HeldOutPrint(IReadOnlyCollection<string> Words, IReadOnlyCollection<string> Fonts)
{
    /// <summary>Whether a picture is recorded as showing such a word or face.</summary>
    public bool IsOn(DatasetItem item) =>
        PrintedText.On(item) is { } print && (Words.Contains(print.Word) || (print.Font is { } font && Fonts.Contains(font)));
}
