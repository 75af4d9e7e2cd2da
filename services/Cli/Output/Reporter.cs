namespace ClipSae.Cli.Output;

/// <summary>Passes progress on in the reporting thread, in order; the library's Progress would post it to the pool.</summary>
internal sealed class Reporter<T>(Action<T> report) : IProgress<T>
{
    private readonly Lock _lock = new();

    public void Report(T value)
    {
        lock (_lock)
        {
            report(value);
        }
    }
}
