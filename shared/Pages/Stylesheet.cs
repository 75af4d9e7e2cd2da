namespace ClipSae.Pages;

/// <summary>Style sheets that the report and the pages share.</summary>
public static class Stylesheet
{
    /// <summary>Colours, light and dark, and fonts.</summary>
    public static string Palette { get; } = Read("palette.css");

    /// <summary>What charts look like.</summary>
    public static string Charts { get; } = Read("charts.css");

    private static string Read(string name)
    {
        using var reader = new StreamReader(typeof(Stylesheet).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
