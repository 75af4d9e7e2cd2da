namespace ClipSae.FineTuning.Tests;

/// <summary>Progress that is told at once, on the thread that reports.</summary>
internal sealed class Reports<T>(Action<T> told) : IProgress<T>
{
    public void Report(T value) => told(value);
}
