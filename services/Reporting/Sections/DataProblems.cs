using ClipSae.Datasets.Import;
using ClipSae.Pages;
using ClipSae.Reporting.Data;
using ClipSae.Results.Evaluation;

namespace ClipSae.Reporting.Sections;

/// <summary>What the data sets hold and what of them could not be used.</summary>
internal static class DataProblems
{
    private const int MaxCount = 40;

    public static Section? Render(ReportData data)
    {
        var sets = data.Results?.Sets ?? [];
        if (data.Dataset is null && sets.Count == 0 && data.Missing.Count == 0)
        {
            return null;
        }

        var problems = (data.Dataset?.Problems ?? [])
            .Select(problem => (Set: "fine-tuning", problem.Where, What: $"{problem.Kind}: {problem.Detail}"))
            .Concat(sets.SelectMany(set => set.Problems.Select(problem => (Set: set.Name, Where: problem.Id, What: problem.Reason))))
            .ToArray();
        var missing = Missing(data);
        if (problems.Length == 0)
        {
            return new Section(
                "data",
                "Data",
                Counts(data.Dataset, sets),
                data.Missing.Count > 0 ? missing : Html.Of($"<p>Every image could be used.</p>")
            );
        }

        var rows = Html.Each(problems.Take(MaxCount), problem =>
            $"<tr><td>{problem.Set}</td><td><code>{problem.Where}</code></td><td>{problem.What}</td></tr>"
        );
        var rest =
            problems.Length > MaxCount
                ? Html.Of($"<p class=\"note\">and {problems.Length - MaxCount} more, all of them in the manifests</p>")
                : Html.Empty;
        var table = Html.Of(
            $"<table class=\"compact\"><thead><tr><th>Set</th><th>Image or row</th><th>Problem</th></tr></thead>"
                + $"<tbody>{rows}</tbody></table>"
        );
        return new Section(
            "data",
            "Data",
            Counts(data.Dataset, sets),
            Html.Of($"{missing}<h3>{problems.Length} could not be used</h3>{Html.Wide("What could not be used", table)}{rest}")
        );
    }

    private static Html Missing(ReportData data)
    {
        if (data.Missing.Count == 0)
        {
            return Html.Empty;
        }

        var counts = Html.Each(data.Missing.GroupBy(unit => (unit.Stage, unit.Units)), stage =>
            $"<b>{stage.Count()} of {stage.Key.Units}</b> units of {stage.Key.Stage} failed; "
            + $"everything after it was computed without them. "
        );
        var rows = Html.Each(data.Missing, unit =>
            $"<tr><td>{unit.Stage}</td><td><code>{unit.Unit}</code></td><td>{unit.Reason}</td></tr>"
        );
        var table = Html.Of(
            $"<table class=\"compact\"><thead><tr><th>Stage</th><th>Missing</th><th>Why</th></tr></thead><tbody>{rows}</tbody></table>"
        );
        return Html.Of($"<h3>Missing</h3><p>{counts}</p>{Html.Wide("Missing units", table)}");
    }

    private static Html Counts(DatasetManifest? dataset, IReadOnlyList<SetSummary> sets)
    {
        var tuning = dataset is null
            ? Html.Empty
            : Html.Of(
                $"<b>{dataset.Name}</b>: {Written.Count(dataset.Items.Count)} usable images of {Written.Count(dataset.Rows)} rows "
                    + $"in {dataset.Shards.Count} shards. "
            );
        var evaluation = Html.Each(sets, (set, index) =>
            $"{(index == 0 ? "Evaluation: " : ", ")}<code>{set.Name}</code> {Written.Count(set.Images)} of {Written.Count(set.Total)}"
        );
        return Html.Of($"{tuning}{evaluation}{(sets.Count > 0 ? "." : "")}");
    }
}
