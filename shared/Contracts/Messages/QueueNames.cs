namespace ClipSae.Contracts;

/// <summary>Queues that are not named after a stage.</summary>
public static class QueueNames
{
    /// <summary>Where facts go.</summary>
    public const string Coordinator = "coordinator";

    /// <summary>Where runs begin.</summary>
    public const string DatasetReady = "dataset-ready";

    /// <summary>Where users ask that a run be cancelled or resumed: apart from the facts, so that who may ask may not report.</summary>
    public const string Requests = "requests";

    /// <summary>Units that killed their worker again and again; the coordinator informs the run.</summary>
    public const string DeadUnits = "dead-units";

    /// <summary>
    /// Everything that was set aside, for people to look at: copies of units that killed their workers, and messages that no one can read.
    /// </summary>
    public const string DeadLetters = "dead-letters";

    /// <summary>Events that start no run; a header says which field is wrong.</summary>
    public const string InvalidEvents = DatasetReady + "_error";

    /// <summary>Begins the names of queues that the coordinator, a worker or a client has for itself while it runs.</summary>
    public const string OfCoordinator = "coordinator-",
        OfWorker = "worker-",
        OfClient = "client-";

    private const string EntranceStart = "to-";
    private const string InteractiveEnd = "-interactive";
    private const string ChecksEnd = "-checks";
    private static readonly string[] Starts = [EntranceStart, OfCoordinator, OfWorker, OfClient];

    /// <summary>The queue of a stage's units; those of runs that someone waits for have one of their own.</summary>
    public static string OfStage(string stage, bool isInteractive) => isInteractive ? stage + InteractiveEnd : stage;

    /// <summary>
    /// The exchange that what goes to a queue is sent to. It has a name of its own, since the broker gives rights by names: who may send
    /// may neither read nor remove what others have sent.
    /// </summary>
    public static string Entrance(string queue) => EntranceStart + queue;

    /// <summary>Where workers of a stage are asked whether units could be carried out.</summary>
    public static string OfChecks(string stage) => stage + ChecksEnd;

    /// <summary>Whether a name is one that <see cref="OfChecks"/> gives.</summary>
    public static bool IsOfChecks(string name) => name.EndsWith(ChecksEnd, StringComparison.Ordinal);

    /// <summary>Whether a name can be that of no stage, since a queue that is not the stage's bulk queue has it, or may have it.</summary>
    public static bool IsTaken(string name) =>
        name is Coordinator or Requests or DatasetReady or DeadUnits or DeadLetters or InvalidEvents
        || name.EndsWith(InteractiveEnd, StringComparison.Ordinal)
        || IsOfChecks(name)
        || Array.Exists(Starts, start => name.StartsWith(start, StringComparison.Ordinal));
}
