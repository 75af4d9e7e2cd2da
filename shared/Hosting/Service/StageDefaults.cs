using System.Text.Json.Nodes;
using ClipSae.Pipeline.Stages;

namespace ClipSae.Hosting.Service;

/// <summary>Default parameters of stages.</summary>
internal static class StageDefaults
{
    /// <summary>
    /// Normalized defaults of each stage, and what it leaves out of them as null; stages that have required parameters are left out.
    /// </summary>
    public static IReadOnlyDictionary<string, JsonObject> Of(IEnumerable<IStage> stages)
    {
        var defaults = new Dictionary<string, JsonObject>(StringComparer.Ordinal);
        foreach (var stage in stages)
        {
            try
            {
                var known = stage.Normalize([]);
                foreach (var optional in stage.OptionalParameters)
                {
                    known.TryAdd(optional, null);
                }

                defaults[stage.Name] = known;
            }
            catch (UserErrorException)
            {
                // Without defaults, keys of this stage are checked only when a unit's parameters are normalized.
            }
        }

        return defaults;
    }

    /// <summary>
    /// Reports the defaults of the stages that a worker hosts; a stage that has none is reported with no parameters, so that it is known.
    /// </summary>
    public static async Task TellAsync(IReadOnlyCollection<IStage> stages, StageDefaultsStore told, CancellationToken cancel)
    {
        var defaults = Of(stages);
        foreach (var stage in stages)
        {
            await told.TellAsync(stage.Name, defaults.GetValueOrDefault(stage.Name) ?? [], stage.AlgorithmVersion, cancel);
        }
    }
}
