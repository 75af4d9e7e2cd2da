namespace ClipSae.Contracts;

/// <summary>Queues that are not named after a stage.</summary>
public static class QueueNames
{
    /// <summary>Where facts go.</summary>
    public const string Coordinator = "coordinator";
}
