using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace ClipSae.Results.Evaluation;

/// <summary>A model's accuracies on the sets that have a column in tables, fractions; null where a set was not evaluated.</summary>
public record ModelMetrics
{
    private const string CleanSet = "clean";
    private const string AttackedSet = "attacked";
    private const string HeldOutEnd = "-heldout";
    private const string WordsSet = "words";

    public ModelMetrics() { }

    /// <summary>Takes them from the metrics of sets by name.</summary>
    [SetsRequiredMembers]
    protected ModelMetrics(string name, IReadOnlyDictionary<string, ISetAccuracy> sets)
    {
        Name = name;
        var (attacked, heldOut) = (sets.GetValueOrDefault(AttackedSet), sets.GetValueOrDefault(AttackedSet + HeldOutEnd));
        (Clean, Attacked, AttackSuccess) = (Accuracy(CleanSet), attacked?.Accuracy.Value, attacked?.AttackSuccess?.Value);
        // Held-out words and fonts are a matter of print; a set without print is the same for both unless one is given.
        HeldOut = new HeldOutMetrics
        {
            Clean = Accuracy(CleanSet + HeldOutEnd) ?? Clean,
            Attacked = heldOut?.Accuracy.Value,
            AttackSuccess = heldOut?.AttackSuccess?.Value,
        };
        (Words, WordsHeldOut) = (Accuracy(WordsSet), Accuracy(WordsSet + HeldOutEnd));
        var families = sets.Where(set =>
                set.Key.StartsWith(AttackedSet + "-", StringComparison.Ordinal) && set.Key != AttackedSet + HeldOutEnd
            )
            .OrderBy(set => set.Key, StringComparer.Ordinal)
            .ToDictionary(
                set => set.Key[(AttackedSet.Length + 1)..],
                set => new FamilyAccuracy(set.Value.Accuracy.Value, set.Value.AttackSuccess?.Value),
                StringComparer.Ordinal
            );
        Families = families.Count > 0 ? families : null;

        double? Accuracy(string set) => sets.GetValueOrDefault(set)?.Accuracy.Value;
    }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Clean { get; init; }

    /// <summary>Accuracy under attack.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Attacked { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? AttackSuccess { get; init; }

    /// <summary>The same with held-out words and fonts.</summary>
    public required HeldOutMetrics HeldOut { get; init; }

    /// <summary>Accuracy on words without a picture.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Words { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? WordsHeldOut { get; init; }

    /// <summary>Sets called <c>attacked-NAME</c>, each a family of print, in the order of their names; null when there are none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, FamilyAccuracy>? Families { get; init; }

    public required string Name { get; init; }

    /// <summary>Takes them from a model's metrics.</summary>
    public static ModelMetrics Of(ModelScores model) => new(model.Name, ByName(model.Sets));

    /// <summary>Metrics of sets as what tables need of them.</summary>
    protected static IReadOnlyDictionary<string, ISetAccuracy> ByName<T>(IReadOnlyDictionary<string, T> sets)
        where T : ISetAccuracy => sets.ToDictionary(set => set.Key, set => (ISetAccuracy)set.Value, StringComparer.Ordinal);
}
