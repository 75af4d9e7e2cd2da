using System.Runtime.InteropServices;

namespace ClipSae.Cli.CommandLine;

/// <summary>
/// Turns Ctrl-C and SIGTERM into a cancellation, so that work stops between steps; a second signal ends the process at once.
/// </summary>
internal sealed class Interruption : IDisposable
{
    private const int KilledBySignal = 128;
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;
    private readonly Action<string> _tell;

    public Interruption(Action<string> tell)
    {
        _tell = tell;
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, context => OnSignal(context, 2)),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => OnSignal(context, 15)),
        ];
    }

    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }

        _source.Dispose();
    }

    private void OnSignal(PosixSignalContext context, int number)
    {
        context.Cancel = true;
        if (_source.IsCancellationRequested)
        {
            // Every write is atomic, so leaving without a clean-up loses time, never data.
            Environment.Exit(KilledBySignal + number);
        }

        _tell("stopping after the current step … (once more to stop at once)");
        _source.Cancel();
    }
}
