using System.Text.Json.Nodes;
using ClipSae.Pipeline.Stages;

namespace ClipSae.Pipeline.Runs;

/// <summary>
/// Makes every default of a plan explicit when its run begins, so that the run keeps them to its end, whatever worker takes its units.
/// </summary>
public static class PlanParameters
{
    /// <summary>
    /// The plan in which the parameters of every unit, its stage's with its own over them, are what <see cref="IStage.Normalize"/> makes of
    /// them. What all units of a stage have in common stands at the stage.
    /// </summary>
    /// <param name="stages">Stages by name; those that are not known here stay as they are, and their workers normalize.</param>
    /// <exception cref="UserErrorException">A key is unknown or a value impossible; the message names the key.</exception>
    public static RunPlan Normalize(RunPlan plan, IReadOnlyDictionary<string, IStage> stages) =>
        new([.. plan.Stages.Select(stage => stages.TryGetValue(stage.Stage, out var known) ? Normalize(stage, known) : stage)]);

    private static StagePlan Normalize(StagePlan plan, IStage stage)
    {
        // Of a hundred thousand shards with the same parameters, one speaks for all.
        var normalized = plan
            .Units.Select(unit => unit.Parameters)
            .DistinctBy(CanonicalJson.Serialize, StringComparer.Ordinal)
            .ToDictionary(
                CanonicalJson.Serialize,
                parameters => stage.Normalize(StageParameters.Overlay(plan.Parameters, parameters)),
                StringComparer.Ordinal
            );
        var common = Common([.. normalized.Values]);
        var own = normalized.ToDictionary(unit => unit.Key, unit => Without(unit.Value, common), StringComparer.Ordinal);
        return plan with
        {
            Parameters = common,
            Units =
            [
                .. plan.Units.Select(unit =>
                    unit with
                    {
                        Parameters = own[CanonicalJson.Serialize(unit.Parameters)].DeepClone().AsObject(),
                    }
                ),
            ],
        };
    }

    private static JsonObject Common(IReadOnlyList<JsonObject> all) =>
        all.Count == 0 ? [] : Members(all[0], member => all.All(other => Has(other, member)));

    private static JsonObject Without(JsonObject whole, JsonObject common) => Members(whole, member => !Has(common, member));

    private static JsonObject Members(JsonObject whole, Func<KeyValuePair<string, JsonNode?>, bool> chosen) =>
        new(whole.Where(chosen).Select(member => KeyValuePair.Create(member.Key, member.Value?.DeepClone())));

    private static bool Has(JsonObject whole, KeyValuePair<string, JsonNode?> member) =>
        whole.TryGetPropertyValue(member.Key, out var value) && CanonicalJson.Serialize(value) == CanonicalJson.Serialize(member.Value);
}
