namespace ClipSae.Pipeline;

/// <summary>
/// Signs beside the streams of runs that nothing of them is to be computed any more, so that a worker learns it from one small object
/// and not from a whole stream. The stream alone is the truth: a sign that is missing costs a computation that no one needs.
/// </summary>
public interface IRunSigns
{
    /// <summary>Says how a run stands that stops or has ended; a later sign takes the place of an earlier one.</summary>
    Task SetAsync(string run, RunStatus status, CancellationToken cancel = default);

    /// <summary>How the run stands; null where no one has said that it stops.</summary>
    Task<RunStatus?> FindAsync(string run, CancellationToken cancel = default);
}
