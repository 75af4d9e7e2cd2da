namespace ClipSae.Cli.Output;

/// <summary>
/// Passes progress on in the reporting thread: the first, then one every few seconds; a log of thousands of lines helps nobody.
/// </summary>
internal sealed class PacedReporter<T>(TimeProvider time, Action<T> report) : IProgress<T>
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private long? _last;

    public void Report(T value)
    {
        lock (_lock)
        {
            if (_last is { } last && time.GetElapsedTime(last) < Pause)
            {
                return;
            }

            _last = time.GetTimestamp();
            report(value);
        }
    }
}
