using System.Text.Json;
using ClipSae.Artifacts;

namespace ClipSae.Hosting.Worker;

/// <summary>
/// Inputs of units that take more of them than a message should carry, such as those of a stage over all shards: they go through
/// the store, as one artifact.
/// </summary>
public sealed class UnitInputs(IArtifactStore artifacts)
{
    /// <summary>Inputs that a message carries itself: about 350 kB of it.</summary>
    public const int MaxInMessage = 1_000;

    /// <summary>The command as it is sent.</summary>
    public async Task<StageCommand> PackAsync(StageCommand command, CancellationToken cancel) =>
        command is RunUnit { Inputs.Count: > MaxInMessage } unit
            ? unit with
            {
                Inputs = new Dictionary<string, ArtifactRef>(),
                InputList = await artifacts.PutBytesAsync(
                    JsonSerializer.SerializeToUtf8Bytes(unit.Inputs, ContractJson.Options),
                    "inputs.json",
                    MediaTypes.Json,
                    cancel
                ),
            }
            : command;

    /// <summary>The command as it was before it was sent.</summary>
    /// <exception cref="UserErrorException">The list is no longer in the store, or damaged.</exception>
    public async Task<RunUnit> UnpackAsync(RunUnit unit, CancellationToken cancel)
    {
        if (unit.InputList is not { } list)
        {
            return unit;
        }

        await using var content = File.OpenRead(await artifacts.FetchAsync(list, cancel));
        var inputs = await JsonSerializer.DeserializeAsync<Dictionary<string, ArtifactRef>>(content, ContractJson.Options, cancel);
        return unit with { Inputs = new SortedDictionary<string, ArtifactRef>(inputs!, StringComparer.Ordinal), InputList = null };
    }
}
