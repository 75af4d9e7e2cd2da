namespace ClipSae.Pipeline.Pruning;

/// <summary>Kinds of what is removed, in the order in which they go: what names content goes before the content.</summary>
public enum PruneKind
{
    /// <summary>Logs of runs that are not kept, and what was exported next to them.</summary>
    Runs,

    /// <summary>Stored results of units that no kept run has.</summary>
    Results,

    /// <summary>Checkpoints of units that were not finished.</summary>
    Checkpoints,

    /// <summary>Artifacts that no kept run refers to.</summary>
    Artifacts,
}
