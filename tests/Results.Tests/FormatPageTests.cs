namespace ClipSae.Results.Tests;

public sealed class FormatPageTests
{
    [Fact]
    public void The_page_says_what_the_records_are()
    {
        var page = FormatPage.Write();
        var written = Path.Combine(AppContext.BaseDirectory, "results.md");
        File.WriteAllText(written, page);

        File.ReadAllText(Path.Combine(Root(), "infra", "docs", "results.md"))
            .ShouldBe(page, $"infra/docs/results.md is not what the records say; take {written}");
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "ClipSae.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("the tests lie outside of the solution's folder");
        }

        return folder.FullName;
    }
}
