using ClipSae.Pipeline.Runs;

namespace ClipSae.Pipeline.Coordination;

/// <summary>Carries what the coordinator decides to the workers. At least once: a worker may see a command again.</summary>
public interface ICommandSender
{
    Task SendAsync(IReadOnlyList<StageCommand> commands, CancellationToken cancel = default);

    /// <summary>Asks all workers to give up the units of a run, those too that start later or are not connected now.</summary>
    /// <param name="status">How the run stands: it stops or has ended.</param>
    Task StopAsync(string run, RunStatus status, CancellationToken cancel = default);
}
