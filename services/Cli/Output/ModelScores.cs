using System.Text.Json.Nodes;

namespace ClipSae.Cli;

/// <summary>A model's accuracies as the evaluation gave them, fractions; null where a set was not evaluated.</summary>
internal sealed record ModelScores(
    string Name, double? Clean, double? Attacked, double? AttackSuccess, double? HeldOutClean, double? HeldOutAttacked, double? HeldOutAttackSuccess, double? Words, double? WordsHeldOut)
{
    /// <summary>Reads a member of the evaluation's figures.</summary>
    public static ModelScores From(string name, JsonNode? figures)
    {
        var heldOut = figures?["heldOut"];
        return new ModelScores(
            name, Number(figures, "clean"), Number(figures, "attacked"), Number(figures, "attackSuccess"),
            Number(heldOut, "clean"), Number(heldOut, "attacked"), Number(heldOut, "attackSuccess"),
            Number(figures, "words"), Number(figures, "wordsHeldOut"));
    }

    /// <summary>As <c>--json</c> shows it.</summary>
    public JsonObject ToJson(bool withName)
    {
        var json = new JsonObject();
        if (withName)
        {
            json["name"] = Name;
        }

        json["clean"] = Clean;
        json["attacked"] = Attacked;
        json["attackSuccess"] = AttackSuccess;
        json["heldOut"] = new JsonObject { ["clean"] = HeldOutClean, ["attacked"] = HeldOutAttacked, ["attackSuccess"] = HeldOutAttackSuccess };
        json["words"] = Words;
        json["wordsHeldOut"] = WordsHeldOut;
        return json;
    }

    private static double? Number(JsonNode? node, string name) =>
        node?[name] is JsonValue value && value.TryGetValue<double>(out var number) ? number : null;
}
