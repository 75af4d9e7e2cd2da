using System.Text.Json.Nodes;

namespace ClipSae.Reporting;

/// <summary>The evaluation's results as the page reads them.</summary>
internal sealed class EvaluationView
{
    private const string Retrieval = "retrieval";
    private const string FamilyPrefix = "attacked-";
    private static readonly string[] Order = ["clean", "attacked", "attacked-heldout", "words", "words-heldout"];

    private readonly CuratedPrint? _curated;

    private EvaluationView(JsonNode results, CuratedPrint? curated)
    {
        _curated = curated;
        Root = results;
        Models = [.. results.Items("models")];
        Base = Models[0];
        Tuned = results.Text("tuned") is { } tuned ? Models.Skip(1).FirstOrDefault(model => model.Text("name") == tuned) : null;
        RetrievalSets = [.. results.Items("sets").Where(set => set.Text("protocol") == Retrieval)];
        Sets = [.. results.Items("sets").Where(set => set.Text("protocol") != Retrieval).OrderBy(set => Array.IndexOf(Order, set.Text("name")) is >= 0 and var place ? place : Order.Length)];
    }

    public JsonNode Root { get; }

    public IReadOnlyList<JsonNode> Models { get; }

    public JsonNode Base { get; }

    public JsonNode? Tuned { get; }

    /// <summary>The sets of objects and words, in the order in which they are told.</summary>
    public IReadOnlyList<JsonNode> Sets { get; }

    /// <summary>The sets of captioned images.</summary>
    public IReadOnlyList<JsonNode> RetrievalSets { get; }

    /// <summary>Whether anything was scored.</summary>
    public bool HasSets => Sets.Count + RetrievalSets.Count > 0;

    /// <summary>The models that are told one by one: all of them, or base and tuned where arms tell of the others.</summary>
    public IReadOnlyList<JsonNode> Told => Arms.Any() ? [.. new[] { Base, Tuned }.OfType<JsonNode>()] : Models;

    public IEnumerable<JsonNode> Arms => Root.Items("arms");

    /// <summary>The attacked set that counts most: the held-out one where there is one.</summary>
    public string? HardestAttack => Name("attacked-heldout") ?? Name("attacked") ?? Sets.FirstOrDefault(set => set.Text("protocol") == "attacked").Text("name");

    /// <summary>The set without print.</summary>
    public string? Clean => Name("clean") ?? Sets.FirstOrDefault(set => set.Text("protocol") == "clean").Text("name");

    /// <summary>The set of words without a picture, the held-out one where there is one.</summary>
    public string? WordsAlone => Name("words-heldout") ?? Name("words") ?? Sets.FirstOrDefault(set => set.Text("protocol") == "words").Text("name");

    /// <summary>Whether attacked sets are named by families of print.</summary>
    public bool HasFamilies => FamilySets.Any();

    /// <summary>Attacked sets by family of print, or all attacked sets where there are no families.</summary>
    public IReadOnlyList<string> Families => HasFamilies ? [.. FamilySets] : [.. AttackedSets];

    private IEnumerable<string> AttackedSets => Sets.Where(set => set.Text("protocol") == "attacked").Select(set => set.Text("name")).OfType<string>();

    private IEnumerable<string> FamilySets => AttackedSets.Where(set => set.StartsWith(FamilyPrefix, StringComparison.Ordinal) && set != "attacked-heldout");

    /// <summary>Images of a set that were scored.</summary>
    public double? Images(string? set) => Sets.FirstOrDefault(entry => entry.Text("name") == set).Number("images");

    public static EvaluationView? Of(ReportData data) => data.Results.Items("models").Any() ? new EvaluationView(data.Results!, data.Curated) : null;

    public static Figure? Figure(JsonNode? scores, string? set, string figure) => set is null ? null : Reporting.Figure.Of(scores.At("sets", set, figure));

    /// <summary>A family's name for people, or the set's where it is no family.</summary>
    public string FamilyName(string set) => HasFamilies && set.StartsWith(FamilyPrefix, StringComparison.Ordinal) ? set[FamilyPrefix.Length..] : set;

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

    /// <summary>How many of a set's words and fonts are among the curated attacks; null where that cannot be told.</summary>
    private string? Known(string? set)
    {
        var entry = Sets.FirstOrDefault(candidate => candidate.Text("name") == set);
        string[] words = [.. entry.Items("words").Select(word => word.Text()).OfType<string>()];
        string[] fonts = [.. entry.Items("fonts").Select(font => font.Text()).OfType<string>()];
        if (_curated is null || words.Length == 0 || !Arms.Any())
        {
            return null;
        }

        var (knownWords, knownFonts) = (words.Count(_curated.Words.Contains), fonts.Count(_curated.Fonts.Contains));
        var ofFonts = $"{knownFonts} of {fonts.Length} font{(fonts.Length == 1 ? "" : "s")} among the attacks";
        return (knownWords, knownFonts) switch
        {
            (0, 0) => fonts.Length == 0 ? ", unseen words" : ", unseen words and fonts",
            (0, _) => $", unseen words, {ofFonts}",
            _ when knownWords == words.Length && knownFonts == fonts.Length => fonts.Length == 0 ? ", words of the attacks" : ", words and fonts of the attacks",
            _ => $", {knownWords} of {words.Length} words{(fonts.Length == 0 ? " among the attacks" : $" and {ofFonts}")}",
        };
    }

    private string? Name(string set) => Sets.Any(entry => entry.Text("name") == set) ? set : null;
}
