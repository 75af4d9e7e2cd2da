using ClipSae.Clip.Generators;
using ClipSae.Pages;
using ClipSae.Results.Evaluation;

namespace ClipSae.WeightConversion.Transplanting;

/// <summary>The page that is next to a generator with another text encoder: one HTML file that asks for nothing else.</summary>
public static class TransplantPage
{
    private const string Style = """
        body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 var(--sans); } main { max-width: 52rem; margin: 0 auto; padding: 2rem 1rem; }
        h1 { font-size: 1.5rem; overflow-wrap: anywhere; } .scroll { overflow-x: auto; } table { border-collapse: collapse; } caption { text-align: left; padding-bottom: .5rem; color: var(--soft); }
        th, td { padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--hair); text-align: left; } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
        code { font-family: var(--mono); font-size: .85em; overflow-wrap: anywhere; } .note { border-left: 3px solid var(--bad); padding-left: .8rem; }
        """;

    /// <summary>Renders the page.</summary>
    /// <param name="name">What the new generator is called.</param>
    public static string Render(string name, TransplantResult result) =>
        Html.Of(
            $"""
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <title>ClipSae · {name}</title><style>{new Html(Stylesheet.Palette + Style)}</style></head><body><main>
            <h1>{name}</h1>
            <p>{result.Tensors} tensors of the text encoder <code>{result.Encoder}</code> ({result.Blocks} blocks, {result.Context} tokens, {result.Dtype}) were replaced.
            Every other byte is the generator's. What was written was read again and equals the model.</p>
            {result.Notes().Select(note => Html.Of($"<p class=\"note\">{note}</p>"))}
            <div class="scroll"><table><caption>Hidden states of the new text encoder against the generator's own, over {result.Prompts} prompts. A cosine of 1 and a ratio of 1 mean no change.</caption>
            {HiddenStateTable.Rows(result.HiddenStates.Select(Row))}</table></div>
            <p>Stable Diffusion 1 takes the last state, Stable Diffusion 2, SDXL and Stable Diffusion 3 the penultimate one; SDXL (its second encoder), Stable Diffusion 3 and Flux also take the pooled one.</p>
            <h2>Digests</h2>
            <div class="scroll"><table>{Digests("generator", result.Generator)}{Digests("model", result.Model)}{Digests(
                "written",
                result.Files
            )}</table></div>
            </main></body></html>
            """
        ).Text;

    private static TextStateChange Row(HiddenStateChange change) =>
        new(change.State, HiddenStateChange.NameOf(change.Tokens), change.Count, change.MeanCosine, change.MinCosine, change.MeanNormRatio);

    private static IEnumerable<Html> Digests(string role, IReadOnlyDictionary<string, string> digests) =>
        digests.Select(digest => Html.Of($"<tr><td>{role}</td><td>{digest.Key}</td><td><code>{digest.Value}</code></td></tr>"));
}
