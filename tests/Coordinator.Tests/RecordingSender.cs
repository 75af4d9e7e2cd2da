using ClipSae.Pipeline.Coordination;
using ClipSae.Pipeline.Runs;

namespace ClipSae.Coordinator.Tests;

/// <summary>Keeps what is sent, or loses it as a process does that dies between append and send.</summary>
internal sealed class RecordingSender : ICommandSender
{
    private readonly List<StageCommand> _sent = [];

    /// <summary>How the run stood each time the workers were told to stop.</summary>
    public List<RunStatus> Stopped { get; } = [];

    public bool Dies { get; set; }

    public IReadOnlyList<string> Sent
    {
        get
        {
            lock (_sent)
            {
                return [.. _sent.OfType<RunUnit>().Select(unit => unit.Stage + "/" + unit.Unit)];
            }
        }
    }

    public Task SendAsync(IReadOnlyList<StageCommand> commands, CancellationToken cancel = default)
    {
        if (Dies && commands.Count > 0)
        {
            throw new TimeoutException("the process died here");
        }

        lock (_sent)
        {
            _sent.AddRange(commands);
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(string run, RunStatus status, CancellationToken cancel = default)
    {
        if (Dies)
        {
            throw new TimeoutException("the process died here");
        }

        Stopped.Add(status);
        return Task.CompletedTask;
    }
}
