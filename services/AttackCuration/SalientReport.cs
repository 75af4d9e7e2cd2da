using System.Text.Json.Nodes;

namespace ClipSae.AttackCuration;

/// <summary>The findings as JSON, for fine-tuning, the report and people.</summary>
public static class SalientReport
{
    /// <summary>Sets of random features that fine-tuning's control arms choose from, one for each seed in turn.</summary>
    private const int ControlDraws = 5;

    public static JsonObject Build(
        IReadOnlyList<CausalSweep.Row> rows, CausalSweep.Row best, IReadOnlyList<SalientNeurons.Neuron> neurons, NeuronAblation ablation,
        WordPairs choosing, Pictures pictures, double firing, AttackCurationOptions options) => new()
        {
            ["hook"] = best.Hook.Hook.ToString(),
            ["sae"] = best.Hook.Name,
            ["share"] = best.Share,
            ["firing"] = Round(firing),
            ["pairs"] = choosing.Count,
            ["classes"] = new JsonArray([.. pictures.Classes.Select(c => (JsonNode)c)]),
            ["heldOutWords"] = new JsonArray([.. options.HeldOutWords.Select(w => (JsonNode)w)]),
            ["layers"] = new JsonArray([.. rows.Select(r => (JsonNode)new JsonObject
            {
                ["hook"] = r.Hook.Hook.ToString(),
                ["sae"] = r.Hook.Name,
                ["share"] = r.Share,
                ["features"] = r.Hook.Sae.Latents,
                ["live"] = r.Survey.Ranked.Count,
                ["salient"] = r.Salient.Count,
                ["before"] = Accuracy(r.Before),
                ["ablation"] = Accuracy(r.Ablation),
                ["random"] = new JsonArray([.. r.Random.Select(a => (JsonNode)Accuracy(a))]),
                ["effect"] = Round(r.Effect),
                ["chosen"] = ReferenceEquals(r, best),
            })]),
            ["features"] = new JsonArray([.. best.Salient.Select(f => (JsonNode)new JsonObject
            {
                ["feature"] = f.Feature,
                ["salience"] = Round(f.Salience),
                ["wordMinusClean"] = Round(f.WordMinusClean),
                ["wordMinusControl"] = Round(f.WordMinusControl),
                ["auroc"] = Round(f.Auroc),
            })]),
            ["randomFeatures"] = new JsonArray([.. Enumerable.Range(0, ControlDraws).Select(draw => (JsonNode)new JsonArray(
                [.. best.Survey.MatchedRandom([.. best.Salient.Select(f => f.Feature)], options.Seed, draw).Select(f => (JsonNode)f)]))]),
            ["neurons"] = new JsonArray([.. neurons.Select(n => (JsonNode)new JsonObject { ["layer"] = n.Layer, ["neuron"] = n.Index, ["score"] = Round(n.Score) })]),
            ["neuronAblation"] = new JsonObject
            {
                ["chosen"] = Accuracy(ablation.Chosen),
                ["random"] = new JsonArray([.. ablation.Random.Select(a => (JsonNode)Accuracy(a))]),
            },
        };

    /// <summary>Three fractions by name.</summary>
    public static JsonObject Accuracy(AttackAccuracy a) => new()
    {
        ["clean"] = Round(a.Clean),
        ["attacked"] = Round(a.Attacked),
        ["attackSuccess"] = Round(a.AttackSuccess),
    };

    private static double Round(double value) => double.IsFinite(value) ? Math.Round(value, 5) : Math.CopySign(1e6, value);
}
