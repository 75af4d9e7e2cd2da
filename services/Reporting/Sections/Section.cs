using ClipSae.Pages;

namespace ClipSae.Reporting;

/// <summary>A part of the page.</summary>
/// <param name="Id">Its anchor.</param>
/// <param name="Title">Its heading, also in the list of contents.</param>
/// <param name="Lead">One or two sentences on what it shows.</param>
/// <param name="Body">The rest.</param>
internal sealed record Section(string Id, string Title, Html Lead, Html Body)
{
    public Html Render() => Html.Of($"""
        <section id="{Id}"><h2>{Title}</h2><p class="lead">{Lead}</p>{Body}</section>
        """);

    /// <summary>A table that scrolls within itself where the page is narrow.</summary>
    /// <param name="name">What it is called aloud.</param>
    public static Html Wide(string name, Html table) => Html.Of($"<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{name}\">{table}</div>");
}
