namespace ClipSae.Hosting.Bus;

/// <summary>This worker could not carry out a unit for a reason of its own, such as a full disk; another may.</summary>
/// <param name="reason">What is wrong.</param>
/// <param name="isOver">Looks whether it still is.</param>
/// <param name="inner">What the unit failed of.</param>
internal sealed class WorkerFaultException(string reason, Func<bool> isOver, Exception inner) : Exception(reason, inner)
{
    public bool IsOver() => isOver();
}
