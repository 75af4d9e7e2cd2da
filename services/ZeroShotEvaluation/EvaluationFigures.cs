using System.Text.Json.Nodes;

namespace ClipSae.ZeroShotEvaluation;

/// <summary>The few numbers that tables and <c>--json</c> show: fractions, absent where a set was not evaluated.</summary>
public static class EvaluationFigures
{
    private const string Clean = "clean";
    private const string Attacked = "attacked";
    private const string HeldOut = "-heldout";
    private const string Words = "words";

    /// <summary>Figures of base, tuned and each arm (mean over its seeds).</summary>
    public static JsonObject Of(EvaluationResults results)
    {
        var tuned = results.Models.FirstOrDefault(model => model.Name == results.Tuned);
        var arms = results.Arms.Select(arm =>
        {
            var figures = Of([.. arm.Sets.Keys], set => arm.Sets.TryGetValue(set, out var scores) ? (scores.Accuracy, scores.AttackSuccess) : null);
            figures["name"] = arm.Name;
            figures["control"] = arm.Control;
            figures["seeds"] = arm.Seeds.Count;
            figures["validation"] = arm.Validation;
            return (JsonNode)figures;
        });
        var all = new JsonObject { ["base"] = Of(results.Models[0]), ["arms"] = new JsonArray([.. arms]) };
        if (tuned is not null)
        {
            all["tuned"] = Of(tuned);
        }

        return all;
    }

    private static JsonObject Of(ModelScores model)
    {
        var figures = Of([.. model.Sets.Keys], set => model.Sets.TryGetValue(set, out var scores) ? (scores.Accuracy, scores.AttackSuccess) : null);
        figures["name"] = model.Name;
        return figures;
    }

    private static JsonObject Of(IReadOnlyList<string> sets, Func<string, (Interval Accuracy, Interval? AttackSuccess)?> scores)
    {
        var figures = new JsonObject();
        var heldOut = new JsonObject();
        Put(figures, Clean, scores(Clean)?.Accuracy);
        Put(figures, Attacked, scores(Attacked)?.Accuracy);
        Put(figures, "attackSuccess", scores(Attacked)?.AttackSuccess);
        // Held-out words and fonts are a matter of print; a set without print is the same for both unless one is given.
        Put(heldOut, Clean, (scores(Clean + HeldOut) ?? scores(Clean))?.Accuracy);
        Put(heldOut, Attacked, scores(Attacked + HeldOut)?.Accuracy);
        Put(heldOut, "attackSuccess", scores(Attacked + HeldOut)?.AttackSuccess);
        figures["heldOut"] = heldOut;
        Put(figures, Words, scores(Words)?.Accuracy);
        Put(figures, "wordsHeldOut", scores(Words + HeldOut)?.Accuracy);
        if (Families(sets, scores) is { } families)
        {
            figures["families"] = families;
        }

        return figures;
    }

    /// <summary>Sets called attacked-NAME, each a family of print, in the order of their names; null where there are none.</summary>
    private static JsonObject? Families(IEnumerable<string> sets, Func<string, (Interval Accuracy, Interval? AttackSuccess)?> scores)
    {
        var families = new JsonObject();
        foreach (var set in sets.Where(set => set.StartsWith(Attacked + "-", StringComparison.Ordinal) && set != Attacked + HeldOut).Order(StringComparer.Ordinal))
        {
            var family = new JsonObject();
            Put(family, Attacked, scores(set)?.Accuracy);
            Put(family, "attackSuccess", scores(set)?.AttackSuccess);
            families[set[(Attacked.Length + 1)..]] = family;
        }

        return families.Count > 0 ? families : null;
    }

    private static void Put(JsonObject figures, string name, Interval? interval)
    {
        if (interval is not null)
        {
            figures[name] = interval.Value;
        }
    }
}
