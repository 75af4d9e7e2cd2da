using ClipSae.Datasets.Drawing;
using ClipSae.Hosting.Service;
using ClipSae.Pages;
using ClipSae.Web.Atlas;
using ClipSae.Web.Models;
using ClipSae.Web.Records;
using ClipSae.Web.Security;
using ClipSae.Web.Shell;
using Microsoft.AspNetCore.Http;

namespace ClipSae.Web.Trying;

/// <summary>
/// "Try it": a picture and a word; base and tuned answer next to each other, with the features that fire. One question at a time is
/// computed.
/// </summary>
internal sealed class TryPage(ClipSaeRuntime runtime, RunReader reader, AtlasShelf shelf, ModelRoom room, PageShell shell)
{
    private const int MaxWordLength = 40;
    private const int MaxClasses = 1000;
    private const int Samples = 8;

    /// <summary>The form, and what came of it where it was sent.</summary>
    public async Task<string> RenderAsync(HttpContext context, string run)
    {
        var cancel = context.RequestAborted;
        var record = await reader.ReadAsync(run, cancel);
        if (!RunModels.AreOf(record))
        {
            throw new MissingPageException($"Run {run} names no model to ask.");
        }

        var form = HttpMethods.IsPost(context.Request.Method) ? await context.Request.ReadFormAsync(cancel) : null;
        var (classes, templates) = await RunModels.TextsAsync(runtime, record, cancel);
        var library = await shelf.ImagesAsync(record, cancel);
        string[] samples = [.. library.Some(Samples)];
        var asked = new Asked(
            form?["word"].ToString().Trim() ?? "",
            form?["family"].ToString() is { Length: > 0 } family ? family : UsualFamily(record),
            form is null
                ? classes
                :
                [
                    .. form["classes"]
                        .ToString()
                        .Split([',', '\n'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                        .Distinct(StringComparer.Ordinal)
                        .Take(MaxClasses),
                ],
            form?["sample"].ToString() is { Length: > 0 } sample ? sample : samples.FirstOrDefault() ?? ""
        );
        var outcome = form is null ? Html.Empty : await OutcomeAsync(record, templates, library, form, asked, cancel);
        var isTuned = record.Scores?.Tuned is not null;
        return shell.Render(
            $"Try {run}",
            "/",
            Html.Of(
                $"""
                <p class="crumbs"><a href="/">Runs</a> / <a href="/runs/{run}">{run}</a> /</p><h1>Try it</h1>
                <p class="lead">A picture, and a word printed on it as the red team prints it: what the base{(
                    isTuned ? " and the tuned model" : ""
                )} take{(isTuned ? "" : "s")} it for.{(isTuned ? "" : " This run has no tuned model.")}</p>
                {outcome}{Form(run, samples, asked)}
                """
            )
        );
    }

    /// <summary>
    /// The family that fooled the run's base most often, as far as curation looked; else that of the style it printed in.
    /// </summary>
    private static string UsualFamily(RunRecord record) =>
        record.Curation?.RedTeam?.Families.MaxBy(family => family.Rate)?.Family
        ?? record.Curation?.BetterRead?.Family
        ?? PrintFamily
            .All.FirstOrDefault(family => family.Name == record.State.Start!.Spec.Parameters["curation"]?["style"]?["place"]?.ToString())
            ?.Name
        ?? PrintFamily.All[0].Name;

    private Html Form(string run, string[] samples, Asked asked) =>
        Html.Of(
            $"""
            <form class="try" method="post" enctype="multipart/form-data" data-drop><input type="hidden" name="{AccessGuard.FormField}" value="{shell.FormSecret}">
            <label class="drop">Picture <input type="file" name="picture" accept="image/*"><small>Choose a file or drop one here; without one, a picture of the data set is taken.</small></label>
            {(
                samples.Length == 0
                    ? Html.Empty
                    : Html.Of(
                        $"<fieldset><legend>From the data set</legend><div class=\"samples\">{samples.Select(id => Html.Of($"<label><input type=\"radio\" name=\"sample\" value=\"{id}\"{(id == asked.Sample ? Html.Of($" checked") : Html.Empty)}><img src=\"{AtlasPage.Image(run, id)}\" alt=\"{id}\" width=\"72\" height=\"72\"></label>"))}</div></fieldset>"
                    )
            )}
            <div class="row"><label>Word to print <input type="text" name="word" value="{asked.Word}" maxlength="{MaxWordLength}" autocomplete="off"></label><label>Family of print <select name="family">{PrintFamily.All.Select(
                family => Html.Of($"<option{(family.Name == asked.Family ? Html.Of($" selected") : Html.Empty)}>{family.Name}</option>")
            )}</select></label></div>
            <label>Classes, with commas between <textarea name="classes" rows="3">{string.Join(", ", asked.Classes)}</textarea></label>
            <p class="actions"><button class="primary">Ask</button></p></form>
            """
        );

    private async Task<Html> OutcomeAsync(
        RunRecord record,
        IReadOnlyList<string> templates,
        ImageLibrary library,
        IFormCollection form,
        Asked asked,
        CancellationToken cancel
    )
    {
        try
        {
            var picture = form.Files.GetFile("picture") is { Length: > 0 } file
                ? await UploadedImage.ReadAsync(file, cancel)
                : await library.ReadAsync(asked.Sample, cancel) ?? throw new UserErrorException("choose a picture");
            UserErrorException.ThrowIf(asked.Word.Length > MaxWordLength, $"the word is longer than {MaxWordLength} letters");

            var volume = AtlasShelf.Units(record) is [var first, ..] ? await shelf.VolumeAsync(record.Run, first.Unit, cancel) : null;
            return Render(record.Run, volume, await AskAsync(record, templates, volume, picture, asked, cancel));
        }
        catch (UserErrorException error)
        {
            return Html.Of($"<p class=\"problem\" role=\"alert\">{error.Message}</p>");
        }
    }

    private Task<Trial.Outcome> AskAsync(
        RunRecord record,
        IReadOnlyList<string> templates,
        AtlasVolume? volume,
        byte[] picture,
        Asked asked,
        CancellationToken cancel
    ) =>
        room.UseAsync(
            record,
            models => new Trial(models, templates, volume).Run(picture, asked.Word, PrintFamily.Named(asked.Family), asked.Classes),
            cancel
        );

    private static Html Render(string run, AtlasVolume? volume, Trial.Outcome outcome)
    {
        var printed = outcome.Printed is null
            ? Html.Empty
            : Column("With the word", outcome.Printed, outcome.Answers.Select(answer => (answer.Model, answer.Printed)));
        return Html.Of(
            $"""
            <section class="outcome" aria-label="Answers"><div class="sides">{Column(
                "As it is",
                outcome.Plain,
                outcome.Answers.Select(answer => (answer.Model, answer.Plain))
            )}{printed}</div>{(volume is null || outcome.Firing.Count == 0 ? Html.Empty : Firing(run, volume, outcome))}</section>
            """
        );
    }

    private static Html Column(
        string title,
        byte[] picture,
        IEnumerable<(string Model, IReadOnlyList<(string Text, double Probability)> Candidates)> answers
    )
    {
        var lists = Html.Each(answers, answer =>
            $"<div class=\"answer\"><h3>{answer.Model}</h3><ol>"
            + $"{answer.Candidates.Select(candidate => Candidate(candidate.Text, candidate.Probability))}</ol></div>"
        );
        return Html.Of(
            $"<div class=\"side\"><h2>{title}</h2><img src=\"data:image/{(picture is [0x89, ..] ? "png" : "jpeg")};base64,"
                + $"{Convert.ToBase64String(picture)}\" alt=\"{title}\">{lists}</div>"
        );
    }

    private static Html Candidate(string text, double probability) =>
        Html.Of(
            $"<li><span>{text}</span><progress max=\"1\" value=\"{probability:0.####}\" aria-label=\"{text}\"></progress>"
                + $"<b>{Written.Percent(probability)}</b></li>"
        );

    private static Html Firing(string run, AtlasVolume volume, Trial.Outcome outcome)
    {
        var (hasPrint, hasTuned) = (outcome.Printed is not null, outcome.Answers.Count > 1);
        (string Title, bool IsShown, Func<Trial.Firing, double?> Value)[] columns =
        [
            ("base, as it is", true, firing => firing.Plain),
            ("base, with the word", hasPrint, firing => firing.Printed),
            ("tuned, as it is", hasTuned, firing => firing.TunedPlain),
            ("tuned, with the word", hasTuned && hasPrint, firing => firing.TunedPrinted),
        ];
        var shown = columns.Where(column => column.IsShown).ToArray();
        var rows = outcome.Firing.Select(firing =>
        {
            var text = volume.Salience(firing.Feature) is null ? "" : " reads text";
            var name = Html.Of(
                $"<a href=\"{AtlasPage.Path(run, volume.Unit.Unit)}/{firing.Feature}\">{firing.Feature}</a> "
                    + $"<small>{volume.Feature(firing.Feature)?.Name}{text}</small>"
            );
            var cells = Html.Each(shown, column => $"<td class=\"n\">{Written.Number(column.Value(firing))}</td>");
            return Html.Of($"<tr><th scope=\"row\">{name}</th>{cells}</tr>");
        });
        var table = PageShell.Table(
            "Features",
            "firing",
            [PageShell.Heading("Feature"), .. shown.Select(column => PageShell.NumberHeading(column.Title))],
            rows
        );
        return Html.Of(
            $"<h2>Features of {volume.Unit.Unit} "
                + $"{(hasPrint ? "that the word changes most in the base" : "that fire most in the base")}</h2>"
                + $"<p class=\"note\">Mean activation over the picture's tokens.</p>{table}"
        );
    }

    private sealed record Asked(string Word, string Family, IReadOnlyList<string> Classes, string Sample);
}
