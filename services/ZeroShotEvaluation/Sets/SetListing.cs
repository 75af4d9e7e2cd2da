using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Datasets;
using ClipSae.Datasets.Shards;
using ClipSae.Datasets.Sources;
using ClipSae.Results.Evaluation;

namespace ClipSae.ZeroShotEvaluation.Sets;

/// <summary>Reads what a set's shards say about its images; the pictures themselves are passed over.</summary>
internal static class SetListing
{
    /// <summary>Attribute with the classes that a set prescribes.</summary>
    private const string ChoicesAttribute = "choices";

    /// <exception cref="UserErrorException">The set is empty, a shard is damaged, or its images prescribe different classes. Images without
    /// label become problems.</exception>
    public static SetImages Read(EvaluationSet set, CancellationToken cancel)
    {
        var (images, rows) = (new List<EvaluationImage>(), new List<int>());
        var problems = new Dictionary<int, EvaluationProblem>();
        string? choices = null;
        var row = 0;
        foreach (var item in Items(set))
        {
            cancel.ThrowIfCancellationRequested();
            var own = (item.Attributes?[ChoicesAttribute] as JsonArray)?.ToJsonString();
            choices =
                own is null || choices is null || own == choices
                    ? choices ?? own
                    : throw new UserErrorException(
                        $"evaluation set {set.Name}: {item.Id} has other classes than the images before it: put it in a separate set"
                    );
            var label = item.Label?.Trim() ?? "";
            if (label.Length == 0 && !EvaluationProtocol.IsRetrieval(set.Name))
            {
                problems[row++] = new EvaluationProblem(item.Id, "no label");
                continue;
            }

            var print = PrintedText.On(item);
            images.Add(new EvaluationImage(item.Id, label, print?.Word, item.Captions, print?.Font));
            rows.Add(row++);
        }

        return row == 0
            ? throw new UnsuitableDatasetException($"evaluation set {set.Name} is empty: give it images with labels, or leave the set out")
            : new SetImages(
                set.Name,
                EvaluationProtocol.For(set.Name, images),
                set.Shards,
                images,
                [.. rows],
                Choices(set, choices),
                row,
                problems,
                [.. (set.Imported ?? []).Select(problem => new EvaluationProblem(problem.Where, $"{problem.Kind}: {problem.Detail}"))]
            );
    }

    private static IEnumerable<DatasetItem> Items(EvaluationSet set)
    {
        using var items = set.Shards.SelectMany(DatasetShard.ReadItems).GetEnumerator();
        while (Next(set, items))
        {
            yield return items.Current;
        }
    }

    private static bool Next(EvaluationSet set, IEnumerator<DatasetItem> items)
    {
        try
        {
            return items.MoveNext();
        }
        catch (UserErrorException problem)
        {
            throw new UserErrorException($"evaluation set {set.Name}: {problem.Message}", problem);
        }
    }

    private static IReadOnlyList<string>? Choices(EvaluationSet set, string? choices)
    {
        try
        {
            return choices is null ? null : JsonSerializer.Deserialize<string[]>(choices, ContractJson.Options);
        }
        catch (JsonException error)
        {
            throw new UserErrorException($"evaluation set {set.Name}: attribute {ChoicesAttribute} must be a list of class names", error);
        }
    }
}
