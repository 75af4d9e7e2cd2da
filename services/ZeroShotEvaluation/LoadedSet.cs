namespace ClipSae.ZeroShotEvaluation;

/// <summary>A set whose images are decoded.</summary>
/// <param name="Name">Name of the set.</param>
/// <param name="Protocol">What is asked on it.</param>
/// <param name="Images">Readable, labelled images; the row of an image in <paramref name="Pixels"/> is in <paramref name="Rows"/>.</param>
/// <param name="Rows">Row of each image.</param>
/// <param name="Total">Images in the set, unreadable ones included.</param>
/// <param name="Problems">Images that were set aside.</param>
/// <param name="Pixels">Preprocessed images.</param>
internal sealed record LoadedSet(
    string Name,
    EvaluationProtocol Protocol,
    IReadOnlyList<EvaluationImage> Images,
    int[] Rows,
    int Total,
    IReadOnlyList<EvaluationProblem> Problems,
    PixelStore Pixels) : IDisposable
{
    public void Dispose() => Pixels.Dispose();
}
