using ClipSae.Contracts;
using ClipSae.Pipeline;

namespace ClipSae.Coordinator.Tests;

/// <summary>Keeps what is sent, or loses it as a process does that dies between append and send.</summary>
internal sealed class RecordingSender : ICommandSender
{
    private readonly List<StageCommand> _sent = [];

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

    public List<string> Stopped { get; } = [];

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

    public Task StopAsync(string run, CancellationToken cancel = default)
    {
        Stopped.Add(run);
        return Task.CompletedTask;
    }
}
