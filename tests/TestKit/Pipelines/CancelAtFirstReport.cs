using ClipSae.Pipeline.Stages;

namespace ClipSae.TestKit.Pipelines;

/// <summary>Cancels a stage at its first report and counts what it reports all the same.</summary>
public sealed class CancelAtFirstReport : IProgress<StageProgress>, IDisposable
{
    private readonly CancellationTokenSource _cut = new();

    public CancellationToken Token => _cut.Token;

    public int Reports { get; private set; }

    public void Report(StageProgress value)
    {
        Reports++;
        _cut.Cancel();
    }

    public void Dispose() => _cut.Dispose();

    /// <summary>Sees that a stage ends at the step in which it was cancelled.</summary>
    /// <param name="run">Runs the stage with this as its progress and token, on work of several steps.</param>
    public static async Task ShouldStopAsync(Func<CancelAtFirstReport, Task> run)
    {
        using var cancelling = new CancelAtFirstReport();
        await Should.ThrowAsync<OperationCanceledException>(() => run(cancelling));
        cancelling.Reports.ShouldBe(1);
    }
}
