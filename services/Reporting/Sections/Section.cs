using ClipSae.Pages;

namespace ClipSae.Reporting.Sections;

/// <summary>A part of the page, folded until someone asks for it.</summary>
/// <param name="Id">Its anchor.</param>
/// <param name="Title">Its heading, which stands alone while it is folded.</param>
/// <param name="Lead">One or two sentences on what it shows.</param>
/// <param name="Body">The rest.</param>
internal sealed record Section(string Id, string Title, Html Lead, Html Body)
{
    /// <summary>Whether it is unfolded from the start.</summary>
    public bool IsOpen { get; init; }

    public Html Render() =>
        Html.Of(
            $"""
            <section id="{Id}"><details class="part"{(
                IsOpen ? " open" : ""
            )}><summary><h2>{Title}</h2></summary><p class="lead">{Lead}</p>{Body}</details></section>
            """
        );
}
