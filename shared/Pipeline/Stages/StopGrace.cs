namespace ClipSae.Pipeline.Stages;

/// <summary>Time for a unit that is asked to stop to save what it has.</summary>
public static class StopGrace
{
    /// <summary>20 s: within the default stop time-out of a process, and long enough for the weights of a large CLIP.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(20);

    /// <summary>Saves where the unit is to stop, then throws as the cancelled token does; otherwise does nothing.</summary>
    /// <param name="save">Saves a checkpoint; given a token that ends with the period.</param>
    /// <param name="cancel">Asks the unit to stop.</param>
    /// <exception cref="OperationCanceledException">The unit is to stop.</exception>
    public static async Task ThrowIfStoppedAsync(Func<CancellationToken, Task> save, CancellationToken cancel)
    {
        if (!cancel.IsCancellationRequested)
        {
            return;
        }

        using var period = new CancellationTokenSource(Period);
        await save(period.Token);
        cancel.ThrowIfCancellationRequested();
    }
}
