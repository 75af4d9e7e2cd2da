namespace ClipSae.Pages;

/// <summary>
/// A piece of HTML in which every value is escaped: <c>Html.Of($"&lt;td&gt;{name}&lt;/td&gt;")</c> encodes the holes and leaves the text.
/// </summary>
public readonly record struct Html(string Text)
{
    public static Html Empty { get; } = new("");

    /// <summary>HTML from a template; values in its holes are escaped, unless they are HTML themselves.</summary>
    public static Html Of(HtmlTemplate template) => new(template.ToString());

    /// <summary>One piece an item, one after another.</summary>
    public static Html Each<T>(IEnumerable<T> items, Func<T, HtmlTemplate> template) => Join(items.Select(item => Of(template(item))));

    /// <inheritdoc cref="Each{T}(IEnumerable{T}, Func{T, HtmlTemplate})"/>
    public static Html Each<T>(IEnumerable<T> items, Func<T, int, HtmlTemplate> template) =>
        Join(items.Select((item, place) => Of(template(item, place))));

    /// <summary>A table that scrolls within itself where the page is narrow.</summary>
    /// <param name="name">What it is called aloud.</param>
    public static Html Wide(string name, Html table) =>
        Of($"<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{name}\">{table}</div>");

    /// <summary>Pieces one after another.</summary>
    public static Html Join(IEnumerable<Html> pieces) => new(string.Concat(pieces.Select(piece => piece.Text)));

    public override string ToString() => Text ?? "";
}
