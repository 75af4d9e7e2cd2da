using System.Text.Json;
using ClipSae.Artifacts;

namespace ClipSae.Hosting.Runs;

/// <summary>Whether two requests ask for the same, whether or not someone waits: a digest over specification and plan.</summary>
public static class RunIdentity
{
    public static string Of(RunSpec spec, RunPlan plan) =>
        Digest.OfText(
            CanonicalJson.Serialize(
                JsonSerializer.SerializeToNode(new { spec = spec with { Interactive = false }, plan }, ContractJson.Options)
            )
        );

    public static string Of(RunStarted start) => Of(start.Spec, start.Plan);
}
