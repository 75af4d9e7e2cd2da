using System.Text.Json.Nodes;

namespace ClipSae.Pipeline.Stages;

/// <summary>Checkpoints of one unit. They outlive the process and are removed when the unit has succeeded.</summary>
public interface ICheckpoints
{
    /// <summary>Saves a checkpoint whole or not at all; it then is the latest.</summary>
    /// <param name="filesByName">Local files by name. Files in the unit's scratch folder are moved, others copied.</param>
    /// <param name="state">What else is needed to continue: step, random state, data position.</param>
    Task SaveAsync(IReadOnlyDictionary<string, string> filesByName, JsonObject state, CancellationToken cancel);

    /// <summary>The newest whole checkpoint, or null where none was saved.</summary>
    Task<Checkpoint?> LatestAsync(CancellationToken cancel);
}
