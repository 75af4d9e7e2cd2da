using System.Text;
using System.Text.Json.Nodes;

namespace ClipSae.Reporting;

/// <summary>Quality of the sparse autoencoders, one row a hook point.</summary>
internal static class Autoencoders
{
    private static readonly (string Key, string Title)[] Known =
    [
        ("variant", "Variant"), ("latents", "Features"), ("k", "k"), ("zeroShotRecovered", "Zero-shot kept"), ("explainedVariance", "Explained variance"), ("cosine", "Cosine"),
        ("l0", "Active a row (L0)"), ("dead", "Dead"), ("monosemanticity", "Monosemanticity"), ("trainingRows", "Training rows"), ("steps", "Steps"),
    ];

    // Told in small print below another figure.
    private static readonly string[] Notes = ["zeroShot", "zeroShotReconstructed", "fvu", "dense", "monosemanticityBaseline", "heldOutRows", "deadAfterSamples"];

    private static readonly string[] Shares = ["dead", "zeroShotRecovered", "explainedVariance"];

    public static Section? Render(ReportData data)
    {
        if (data.Autoencoders.Count == 0)
        {
            return null;
        }

        var given = data.Autoencoders.SelectMany(autoencoder => autoencoder.Figures.Members()).Where(member => member.Value is JsonValue).Select(member => member.Key).Distinct().ToArray();
        var known = Known.Select(column => column.Key).ToArray();
        string[] columns = [.. known.Where(given.Contains), .. given.Except(known).Except(Notes)];
        var table = Html.Of($"""
            <table class="autoencoders"><thead><tr><th>Hook point</th>{columns.Select(column => Html.Of($"<th class=\"n\">{TitleOf(column)}</th>"))}</tr></thead>
            <tbody>{data.Autoencoders.Select(autoencoder => Row(autoencoder, columns, autoencoder.Name == data.Salient?.Sae))}</tbody></table>
            """);
        return new Section(
            "sae",
            "Sparse autoencoders",
            Html.Of($"{Useless(data)}Measured on rows that training did not see, in the space of the activations themselves. Which hook point is used is decided by the causal sweep below, not by these figures. Zero-shot kept is the accuracy with the reconstruction in the activations’ place over the accuracy without it. Dead features fire on no held-out row, dense ones on more than a tenth of them; in training, a feature counts as dead after so many rows without firing. Monosemanticity is how alike the images are that a feature fires on, as a cosine; below it, how alike any images are."),
            Html.Of($"{Section.Wide("Autoencoders", table)}<div class=\"charts\">{data.Autoencoders.Select(Density)}</div>"));
    }

    private static Html Useless(ReportData data)
    {
        string[] names = [.. data.Autoencoders.Where(autoencoder => autoencoder.Figures.Number("explainedVariance") < 0).Select(autoencoder => autoencoder.Name)];
        return names.Length == 0 ? Html.Empty : Html.Of($"<strong>{string.Join(", ", names)}: the explained variance is negative, so these reconstruct worse than the mean would, and their features mean nothing.</strong> ");
    }

    private static Html Row(AutoencoderRecord autoencoder, string[] columns, bool used) => Html.Of($"""
        <tr class="{(used ? "chosen" : "")}"><th scope="row"><code>{autoencoder.Name}</code>{(used ? Html.Of($" <em class=\"badge\">used</em>") : Html.Empty)}</th>{columns.Select(column => Html.Of($"<td class=\"n\">{Value(column, autoencoder.Figures)}{Note(column, autoencoder.Figures)}</td>"))}</tr>
        """);

    private static Html Density(AutoencoderRecord autoencoder) => Histogram.Render(
        $"How often features fire, {autoencoder.Name}",
        [.. autoencoder.Statistics.Items("features").Select(feature => feature.Number("density")).Where(density => density > 0).Select(density => density!.Value)]);

    private static string TitleOf(string key) => Known.FirstOrDefault(known => known.Key == key).Title ?? Words(key);

    private static string Words(string key)
    {
        var text = new StringBuilder();
        foreach (var letter in key)
        {
            text.Append(char.IsUpper(letter) ? " " : "").Append(text.Length == 0 ? char.ToUpperInvariant(letter) : char.ToLowerInvariant(letter));
        }

        return text.ToString();
    }

    private static Html Note(string column, JsonNode? figures)
    {
        string? Of(string key, Func<double?, string> text) => figures.Number(key) is { } number ? text(number) : null;
        var note = column switch
        {
            "zeroShotRecovered" => Of("zeroShotReconstructed", reconstructed => $"{Written.Percent(reconstructed)} of {Written.Percent(figures.Number("zeroShot"))}"),
            "explainedVariance" => Of("fvu", share => $"FVU {Written.Percent(share)}"),
            "dead" => Of("dense", share => $"dense {Written.Percent(share)}"),
            "monosemanticity" => Of("monosemanticityBaseline", cosine => $"any image {Written.Number(cosine)}"),
            "trainingRows" => Of("heldOutRows", rows => $"{Written.Count(rows)} held out"),
            "steps" => Of("deadAfterSamples", rows => $"dead after {Written.Count(rows)} rows"),
            _ => null,
        };
        return note is null ? Html.Empty : Html.Of($"<span class=\"ci\">{note}</span>");
    }

    private static string Value(string key, JsonNode? figures) => (Shares.Contains(key), figures.Number(key)) switch
    {
        (_, null) => figures.Text(key) ?? Written.Missing,
        (true, var share) => Written.Percent(share),
        (_, { } number) when number == Math.Floor(number) => Written.Count(number),
        (_, var number) => Written.Number(number),
    };
}
