namespace ClipSae.Contracts;

/// <summary>Queues that are not named after a stage.</summary>
public static class QueueNames
{
    /// <summary>Where facts go.</summary>
    public const string Coordinator = "coordinator";

    /// <summary>Where runs begin.</summary>
    public const string DatasetReady = "dataset-ready";

    /// <summary>Units that killed their worker again and again; the coordinator tells the run.</summary>
    public const string DeadUnits = "dead-units";

    /// <summary>Copies of everything that was set aside, for people to look at.</summary>
    public const string DeadLetters = "dead-letters";

    private const string InteractiveEnd = "-interactive";

    /// <summary>The queue of a stage's units; those of runs that someone waits for have one of their own.</summary>
    public static string OfStage(string stage, bool isInteractive) => isInteractive ? stage + InteractiveEnd : stage;

    /// <summary>Whether a name can be that of no stage, since a queue that is not the stage's bulk queue has it, or may have it.</summary>
    public static bool IsTaken(string name) =>
        name is Coordinator or DatasetReady or DeadUnits or DeadLetters || name.EndsWith(InteractiveEnd, StringComparison.Ordinal);
}
