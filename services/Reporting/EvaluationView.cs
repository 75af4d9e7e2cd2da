using System.Text.Json.Nodes;

namespace ClipSae.Reporting;

/// <summary>The evaluation's results as the page reads them.</summary>
internal sealed class EvaluationView
{
    private const string Retrieval = "retrieval";
    private static readonly string[] Order = ["clean", "attacked", "attacked-heldout", "words", "words-heldout"];

    private EvaluationView(JsonNode results)
    {
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

    /// <summary>The attacked set that counts most: unseen words and fonts where there are such.</summary>
    public string? HardestAttack => Name("attacked-heldout") ?? Name("attacked") ?? Sets.FirstOrDefault(set => set.Text("protocol") == "attacked").Text("name");

    /// <summary>The set without print.</summary>
    public string? Clean => Name("clean") ?? Sets.FirstOrDefault(set => set.Text("protocol") == "clean").Text("name");

    public static EvaluationView? Of(JsonNode? results) => results.Items("models").Any() ? new EvaluationView(results!) : null;

    public static Figure? Figure(JsonNode? scores, string? set, string figure) => set is null ? null : Reporting.Figure.Of(scores.At("sets", set, figure));

    /// <summary>What a set shows, for people: fine-tuning's vocabulary is spoken of where there was fine-tuning.</summary>
    public string Title(string? set) => set switch
    {
        "clean" => "No print",
        "attacked" when !Arms.Any() => "Printed word",
        "attacked-heldout" when !Arms.Any() => "Printed word, held out",
        "words" when !Arms.Any() => "Word alone",
        "words-heldout" when !Arms.Any() => "Word alone, held out",
        "attacked" => "Printed word, from fine-tuning’s vocabulary",
        "attacked-heldout" => "Printed word, unseen words and fonts",
        "words" => "Word alone, from fine-tuning’s vocabulary",
        "words-heldout" => "Word alone, unseen words and fonts",
        _ => set ?? "",
    };

    private string? Name(string set) => Sets.Any(entry => entry.Text("name") == set) ? set : null;
}
