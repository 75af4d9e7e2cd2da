using ClipSae.Cli.CommandLine;

namespace ClipSae.Cli.Output;

/// <summary>
/// How far a count has come, on standard error from the first moment on: a bar that redraws itself on a terminal, elsewhere a line at the
/// beginning and every few seconds. Safe to report to from any thread; disposing ends it.
/// </summary>
internal sealed class CountBar : IProgress<int>, IDisposable
{
    private const int Width = 20;
    private static readonly TimeSpan Redrawn = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Told = TimeSpan.FromSeconds(5);

    private readonly Session _session;
    private readonly string _what;
    private readonly Lock _lock = new();
    private int _total;
    private int _done;
    private long _last;

    /// <param name="what">What is counted, <c>train: pictures read</c>.</param>
    /// <param name="total">How many there will be; 0 where that is not known yet.</param>
    public CountBar(Session session, string what, int total = 0)
    {
        (_session, _what, _total) = (session, what, total);
        Show();
    }

    /// <summary>Says how many there will be.</summary>
    public void Expect(int total)
    {
        lock (_lock)
        {
            _total = total;
        }
    }

    public void Report(int value)
    {
        lock (_lock)
        {
            _done = Math.Max(_done, value);
            if (_session.Time.GetElapsedTime(_last) >= (_session.IsErrorInteractive ? Redrawn : Told))
            {
                Show();
            }
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (_session.IsErrorInteractive)
            {
                Show();
                _session.Error.WriteLine();
            }
        }
    }

    /// <summary>The bar with its count, at most 79 characters so that no terminal folds it.</summary>
    internal static string Line(string what, int done, int total)
    {
        var filled = total == 0 ? 0 : (int)((long)Width * Math.Min(done, total) / total);
        var line = total == 0 ? $"{what} {done}" : $"{what} {new string('━', filled)}{new string('─', Width - filled)} {done}/{total}";
        return line.Length < 80 ? line : line[^79..];
    }

    private void Show()
    {
        _last = _session.Time.GetTimestamp();
        var line = Line(_what, _done, _total);
        if (_session.IsErrorInteractive)
        {
            _session.Error.Write($"\r{line}");
        }
        else
        {
            _session.Tell(_total == 0 ? line : $"{_what} {_done} of {_total}");
        }
    }
}
