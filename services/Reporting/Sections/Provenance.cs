using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using ClipSae.Pages;
using ClipSae.Reporting.Data;

namespace ClipSae.Reporting.Sections;

/// <summary>All that is needed to get the same page again: parameters, seeds, digests, versions, proofs.</summary>
internal static class Provenance
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static Section Render(ReportData data)
    {
        var origin = data.Origin is null ? Html.Empty : Html.Of($" It replays <code>{data.Origin}</code>.");
        var seed = data.Seed is null ? Html.Empty : Html.Of($", seed {data.Seed.Value}");
        return new Section(
            "provenance",
            "Provenance",
            Html.Of(
                $"Run <code>{data.Run}</code>{seed}.{origin} The same inputs, parameters and seed give the same artifacts, "
                    + $"digest by digest, on the same kind of processor with the same number of threads; "
                    + $"on a GPU the order of some sums, and with it the last bits of trained weights, is not fixed."
            ),
            Html.Of($"{Proofs(data)}{Parameters(data)}{Inputs(data)}{Outputs(data)}{Stages(data)}{Versions(data)}")
        );
    }

    private static Html Proofs(ReportData data)
    {
        var rows = Html.Each(data.Proofs, proof =>
            $"""
                <tr><th scope="row">{proof.Key}</th><td class="n">{Written.Number(proof.Value.Image.MaxRelative)}</td><td class="n">{Cosine(
                    proof.Value.Image.MinCosine
                )}</td>
                <td class="n">{Written.Number(proof.Value.Text.MaxRelative)}</td><td class="n">{Cosine(
                    proof.Value.Text.MinCosine
                )}</td><td><code>{Written.Short(proof.Value.Written)}</code></td></tr>
                """
        );
        return data.Proofs.Count == 0
            ? Html.Empty
            : Folded(
                "Converted weights, proved by a forward pass of both files",
                Html.Of(
                    $"""
                    <thead><tr><th>Model</th><th class="n">Image features, largest relative Δ</th><th class="n">smallest cosine</th><th class="n">Text features, largest relative Δ</th><th class="n">smallest cosine</th><th>SHA-256</th></tr></thead><tbody>{rows}</tbody>
                    """
                )
            );
    }

    private static Html Parameters(ReportData data) =>
        data.Parameters.Count == 0
            ? Html.Empty
            : Html.Of(
                $"""
                <details><summary>Parameters</summary>{data.Parameters.Select(section =>
                    Html.Of($"<h4>{section.Key}</h4><pre>{section.Value?.ToJsonString(Indented)}</pre>")
                )}</details>
                """
            );

    private static Html Inputs(ReportData data)
    {
        var rows = Html.Each(data.Inputs.OrderBy(input => input.Key, StringComparer.Ordinal), input =>
            $"<tr><th scope=\"row\">{input.Key}</th><td class=\"n\">{Written.Bytes(input.Value.Length)}</td><td>"
            + $"<code>{input.Value.Digest.Replace("sha256:", "", StringComparison.Ordinal)}</code></td></tr>"
        );
        return data.Inputs.Count == 0
            ? Html.Empty
            : Folded(
                "Inputs",
                Html.Of($"<thead><tr><th>Input</th><th class=\"n\">Size</th><th>SHA-256</th></tr></thead><tbody>{rows}</tbody>")
            );
    }

    private static Html Outputs(ReportData data)
    {
        var rows = Html.Each(
            data.Units.SelectMany(
                unit => unit.Outputs.OrderBy(output => output.Key, StringComparer.Ordinal),
                (unit, output) => (unit, output)
            ),
            row =>
                $"<tr><th scope=\"row\">{row.unit.Stage}/{row.unit.Unit}:{row.output.Key}</th><td class=\"n\">"
                + $"{Written.Bytes(row.output.Value.Length)}</td><td><code>{Written.Short(row.output.Value.Digest)}</code></td><td>"
                + $"<code>{Written.Short(row.unit.Key)}</code></td></tr>"
        );
        return data.Units.Count == 0
            ? Html.Empty
            : Folded(
                "Artifacts and stage keys",
                Html.Of(
                    $"<thead><tr><th>Artifact</th><th class=\"n\">Size</th><th>SHA-256</th>"
                        + $"<th>Stage key</th></tr></thead><tbody>{rows}</tbody>"
                )
            );
    }

    private static Html Stages(ReportData data)
    {
        var rows = Html.Each(data.Stages, stage =>
            $"<tr><th scope=\"row\">{stage.Stage}</th>"
            + $"<td class=\"n\">{stage.Algorithm?.ToString(CultureInfo.InvariantCulture) ?? Written.Missing}</td>"
            + $"<td>{(stage.Computed.Count == 0 ? Written.Missing : string.Join("; ", stage.Computed))}</td></tr>"
        );
        return data.Stages.Count == 0
            ? Html.Empty
            : Folded(
                "Algorithm versions of the stages",
                Html.Of(
                    $"<thead><tr><th>Stage</th><th class=\"n\">Algorithm version</th><th>Computed by</th></tr></thead><tbody>{rows}</tbody>"
                )
            );
    }

    private static Html Versions(ReportData data)
    {
        var rows = Html.Each(data.Versions, version => $"<tr><th scope=\"row\">{version.Key}</th><td>{version.Value}</td></tr>");
        return data.Versions.Count == 0 ? Html.Empty : Folded("Versions of what made this page", Html.Of($"<tbody>{rows}</tbody>"));
    }

    private static Html Folded(string title, Html rows) =>
        Html.Of($"<details><summary>{title}</summary>{Html.Wide(title, Html.Of($"<table class=\"compact\">{rows}</table>"))}</details>");

    private static string Cosine(double value) => value.ToString("0.0000000", CultureInfo.InvariantCulture);
}
