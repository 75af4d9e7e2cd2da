using ClipSae.Pages;
using ClipSae.Web.Security;

namespace ClipSae.Web.Shell;

/// <summary>What all pages share: head, navigation, and small pieces.</summary>
/// <param name="AllowsChanges">Whether buttons that change something are shown.</param>
/// <param name="FormSecret">What their forms carry.</param>
/// <param name="DataFolder">What is looked at, for the footer.</param>
internal sealed record PageShell(bool AllowsChanges, string FormSecret, string DataFolder)
{
    private static readonly (string Path, string Title)[] Places = [("/", "Runs"), ("/compare", "Compare")];

    /// <summary>A whole page.</summary>
    /// <param name="title">Of the page.</param>
    /// <param name="place">Path of the entry of the navigation that it belongs to.</param>
    /// <param name="body">Its content, heading included.</param>
    public string Render(string title, string place, Html body) =>
        Html.Of(
            $"""
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><meta name="csrf" content="{FormSecret}">
            <title>{title} · ClipSae</title><link rel="icon" href="/assets/icon.svg" type="image/svg+xml"><link rel="stylesheet" href="/assets/palette.css"><link rel="stylesheet" href="/assets/app.css"><script type="module" src="/assets/app.js"></script></head><body>
            <a class="skip" href="#content">Skip to the content</a>
            <header class="bar"><a class="brand" href="/">ClipSae</a><nav aria-label="Main">{Places.Select(entry =>
                Html.Of(
                    $"<a href=\"{entry.Path}\"{(entry.Path == place ? Html.Of($" aria-current=\"page\"") : Html.Empty)}>{entry.Title}</a>"
                )
            )}</nav></header>
            <main id="content">{body}</main>
            <footer>{DataFolder} · {(AllowsChanges ? "changes allowed" : "read-only")}</footer>
            </body></html>
            """
        ).Text;

    /// <summary>A button that changes a run; nothing where changes are not allowed.</summary>
    public Html Button(string action, string title, string css = "") => AllowsChanges ? Form(action, title, css) : Html.Empty;

    /// <summary>A button that makes this process do something.</summary>
    public Html Form(string action, string title, string css = "") =>
        Html.Of(
            $"<form method=\"post\" action=\"{action}\"><input type=\"hidden\" name=\"{AccessGuard.FormField}\" "
                + $"value=\"{FormSecret}\"><button class=\"{css}\">{title}</button></form>"
        );

    /// <summary>
    /// What stands in the place of a result that is computed when it is asked for: its button, or how far it is and a button that stops it.
    /// </summary>
    /// <param name="done">Share that is computed; null where it is not being computed.</param>
    /// <param name="problem">Why it could not be computed.</param>
    /// <param name="path">Where it is asked for; it is stopped below, at <c>/stop</c>.</param>
    /// <param name="title">Of the button.</param>
    /// <param name="meaning">What is computed, and at what cost.</param>
    public Html OnDemand(double? done, string? problem, string path, string title, string meaning) =>
        done is { } share
            ? Html.Of(
                $"<div class=\"index\" data-reload=\"2000\"><p role=\"status\">Computing: {Written.Percent(share)}</p><progress "
                    + $"max=\"1\" value=\"{share:0.###}\" aria-label=\"{title}\"></progress>{Form(path + "/stop", "Stop")}</div>"
            )
            : Html.Of(
                $"<div class=\"index\">"
                    + $"{(problem is null ? Html.Empty : Html.Of($"<p class=\"problem\">Not computed: {problem}</p>"))}"
                    + $"<p>{meaning}</p>{Form(path, title)}</div>"
            );

    /// <summary>A table of rows under headings, which scrolls within itself where the page is narrow.</summary>
    /// <param name="name">What it is called aloud.</param>
    public static Html Table(string name, string css, IEnumerable<Html> headings, IEnumerable<Html> rows) =>
        Html.Wide(name, Html.Of($"<table class=\"{css}\"><thead><tr>{headings}</tr></thead><tbody>{rows}</tbody></table>"));

    public static Html Heading(string title) => Html.Of($"<th scope=\"col\">{title}</th>");

    /// <summary>The heading of a column of numbers.</summary>
    public static Html NumberHeading(string title, string? note = null) =>
        Html.Of($"<th scope=\"col\" class=\"n\">{title}{(note is null ? Html.Empty : Html.Of($" <small>{note}</small>"))}</th>");

    public static Html Status(string status) => Html.Of($"<span class=\"status {status}\">{status}</span>");

    /// <summary>Links to the pages of a long list; nothing where it has one page.</summary>
    /// <param name="address">Address of a page, by its number from 1.</param>
    public static Html Pager(int page, int pages, Func<int, string> address) =>
        pages <= 1
            ? Html.Empty
            : Html.Of(
                $"""
                <nav class="pager" aria-label="Pages">{Step(
                    page > 1,
                    address(page - 1),
                    "prev",
                    "← Previous"
                )}<span>page {page} of {pages}</span>{Step(page < pages, address(page + 1), "next", "Next →")}</nav>
                """
            );

    /// <summary>An address with a query; parameters without a value are left out.</summary>
    public static string Address(string path, params ReadOnlySpan<(string Name, string? Value)> query)
    {
        var parts = new List<string>();
        foreach (var (name, value) in query)
        {
            if (!string.IsNullOrEmpty(value))
            {
                parts.Add($"{name}={Uri.EscapeDataString(value)}");
            }
        }

        return parts.Count == 0 ? path : $"{path}?{string.Join('&', parts)}";
    }

    private static Html Step(bool isThere, string address, string relation, string title) =>
        isThere
            ? Html.Of($"<a rel=\"{relation}\" href=\"{address}\">{title}</a>")
            : Html.Of($"<span class=\"off\" aria-hidden=\"true\">{title}</span>");
}
