using System.Text.Json;
using ClipSae.Artifacts;
using ClipSae.Contracts;
using ClipSae.Pipeline.Runs;

namespace ClipSae.Hosting.Runs;

/// <summary>Whether two requests ask for the same: a digest over plan, inputs, parameters, seed, verification and origin.</summary>
public static class RunIdentity
{
    public static string Of(RunRequest request, RunPlan plan) => Of(request, plan, null);

    /// <param name="planned">The plan, where the event gives none.</param>
    public static string Of(DatasetReady ready, RunPlan planned) =>
        Of(new RunRequest(ready.Inputs, ready.Parameters, ready.Seed, ready.Verify), ready.Plan ?? planned, ready.Origin);

    public static string Of(RunStarted start) =>
        Of(new RunRequest(start.Inputs, start.Parameters, start.Seed, start.Verify), start.Plan, start.Origin);

    internal static string Of(RunRequest request, RunPlan plan, ReplayOrigin? origin) =>
        Digest.OfText(
            CanonicalJson.Serialize(
                JsonSerializer.SerializeToNode(
                    new
                    {
                        request,
                        plan,
                        origin,
                    },
                    ContractJson.Options
                )
            )
        );
}
