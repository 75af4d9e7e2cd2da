using ClipSae.Artifacts;

namespace ClipSae.Pipeline.Pruning;

/// <summary>Files of one kind that go.</summary>
/// <param name="Kind">What they are.</param>
/// <param name="Items">The files, in the order in which they go.</param>
public sealed record PruneGroup(PruneKind Kind, IReadOnlyList<StoredObject> Items)
{
    /// <summary>Bytes of all.</summary>
    public long Bytes => Items.Sum(item => item.Length);
}
