using ClipSae.Results.Evaluation;

namespace ClipSae.Reporting.Data;

/// <summary>The evaluation's results as the page reads them.</summary>
internal sealed class EvaluationView
{
    private const string FamilyPrefix = "attacked-";
    private static readonly string[] Order = ["clean", "attacked", "attacked-heldout", "words", "words-heldout"];

    private readonly CuratedPrint? _curated;

    private EvaluationView(EvaluationResults results, CuratedPrint? curated)
    {
        _curated = curated;
        Results = results;
        Tuned = Models.Skip(1).FirstOrDefault(model => model.Name == results.Tuned);
        RetrievalSets = [.. results.Sets.Where(set => set.Protocol == Protocols.Retrieval)];
        Sets =
        [
            .. results
                .Sets.Except(RetrievalSets)
                .OrderBy(set => Array.IndexOf(Order, set.Name) is >= 0 and var place ? place : Order.Length),
        ];
    }

    public EvaluationResults Results { get; }

    public IReadOnlyList<ModelScores> Models => Results.Models;

    public ModelScores Base => Models[0];

    public ModelScores? Tuned { get; }

    /// <summary>The sets of objects and words, in the order in which they are reported.</summary>
    public IReadOnlyList<SetSummary> Sets { get; }

    /// <summary>The sets of captioned images.</summary>
    public IReadOnlyList<SetSummary> RetrievalSets { get; }

    /// <summary>Whether anything was scored.</summary>
    public bool HasSets => Sets.Count + RetrievalSets.Count > 0;

    /// <summary>The models that are reported one by one: all of them, or base and tuned where arms stand for the others.</summary>
    public IReadOnlyList<ModelScores> Told => Arms.Count > 0 ? [.. new[] { Base, Tuned }.OfType<ModelScores>()] : Models;

    public IReadOnlyList<ArmScores> Arms => Results.Arms;

    /// <summary>The attacked set that counts most: the held-out one if there is one.</summary>
    public string? HardestAttack => Name("attacked-heldout") ?? Name("attacked") ?? Of(Protocols.Attacked);

    /// <summary>The set without print.</summary>
    public string? Clean => Name("clean") ?? Of(Protocols.Clean);

    /// <summary>The set of words without a picture, the held-out one if there is one.</summary>
    public string? WordsAlone => Name("words-heldout") ?? Name("words") ?? Of(Protocols.Words);

    /// <summary>Whether attacked sets are named by families of print.</summary>
    public bool HasFamilies => FamilySets.Any();

    /// <summary>Attacked sets by family of print, or all attacked sets if there are no families.</summary>
    public IReadOnlyList<string> Families => HasFamilies ? [.. FamilySets] : [.. AttackedSets];

    /// <summary>
    /// The family of print on which the tuned model, or without one the base, has the lowest accuracy; null without at least two families.
    /// </summary>
    public string? WorstFamily => HasFamilies && Families.Count > 1 ? Worst(Tuned ?? Base)?.Set : null;

    /// <summary>Of <see cref="Families"/> the one on which a model has the lowest accuracy; null where none was scored.</summary>
    public (string Set, Interval Accuracy)? Worst(ModelScores model) =>
        Families
            .Order(StringComparer.Ordinal)
            .Where(set => Scores(model, set)?.Accuracy is not null)
            .Select(set => (Set: set, Accuracy: Scores(model, set)!.Accuracy!))
            .Select(family => ((string Set, Interval Accuracy)?)family)
            .MinBy(family => family!.Value.Accuracy.Value);

    private IEnumerable<string> AttackedSets => Sets.Where(set => set.Protocol == Protocols.Attacked).Select(set => set.Name);

    private IEnumerable<string> FamilySets =>
        AttackedSets.Where(set => set.StartsWith(FamilyPrefix, StringComparison.Ordinal) && set != "attacked-heldout");

    /// <summary>Images of a set that were scored.</summary>
    public int? Images(string? set) => Sets.FirstOrDefault(entry => entry.Name == set)?.Images;

    public static EvaluationView? Of(ReportData data) =>
        data.Results is { Models.Count: > 0 } results ? new EvaluationView(results, data.Curated) : null;

    /// <summary>A model's metrics on a set; null if there are none.</summary>
    public static SetScores? Scores(ModelScores? model, string? set) => set is null ? null : model?.Sets.GetValueOrDefault(set);

    /// <summary>An arm's metrics on a set; null if there are none.</summary>
    public static ArmSetScores? Scores(ArmScores arm, string? set) => set is null ? null : arm.Sets.GetValueOrDefault(set);

    /// <summary>A family's name for people, or the set's where it is not a family.</summary>
    public string FamilyName(string set) =>
        HasFamilies && set.StartsWith(FamilyPrefix, StringComparison.Ordinal) ? set[FamilyPrefix.Length..] : set;

    /// <summary>What a set shows, for people; what fine-tuning could know of its words and fonts, where both are recorded.</summary>
    public string Title(string? set)
    {
        var (kind, isHeldOut) = set switch
        {
            "clean" => ("No print", false),
            "attacked" => ("Printed word", false),
            "attacked-heldout" => ("Printed word", true),
            "words" => ("Word alone", false),
            "words-heldout" => ("Word alone", true),
            _ => (set ?? "", false),
        };
        return kind + (Known(set) ?? (isHeldOut ? ", held out" : ""));
    }

    /// <summary>How many of a set's words and fonts are among the curated attacks; null where that cannot be known.</summary>
    private string? Known(string? set)
    {
        if (
            _curated is null
            || Arms.Count == 0
            || Sets.FirstOrDefault(candidate => candidate.Name == set) is not { Words: { Count: > 0 } words, Fonts: var fonts }
        )
        {
            return null;
        }

        var (knownWords, knownFonts) = (words.Count(_curated.Words.Contains), fonts.Count(_curated.Fonts.Contains));
        var ofFonts = $"{knownFonts} of {fonts.Count} font{(fonts.Count == 1 ? "" : "s")} among the attacks";
        return (knownWords, knownFonts) switch
        {
            (0, 0) => fonts.Count == 0 ? ", unseen words" : ", unseen words and fonts",
            (0, _) => $", unseen words, {ofFonts}",
            _ when knownWords == words.Count && knownFonts == fonts.Count => fonts.Count == 0
                ? ", words of the attacks"
                : ", words and fonts of the attacks",
            _ => $", {knownWords} of {words.Count} words{(fonts.Count == 0 ? " among the attacks" : $" and {ofFonts}")}",
        };
    }

    private string? Name(string set) => Sets.Any(entry => entry.Name == set) ? set : null;

    private string? Of(string protocol) => Sets.FirstOrDefault(set => set.Protocol == protocol)?.Name;
}
