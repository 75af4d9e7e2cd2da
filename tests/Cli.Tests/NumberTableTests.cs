using ClipSae.Cli.Output;
using ClipSae.Results.Evaluation;
using Spectre.Console;

namespace ClipSae.Cli.Tests;

public sealed class NumberTableTests
{
    private const int Width = 80;

    [Fact]
    public void What_fits_is_one_block_with_figures_below_their_headings()
    {
        var table = new NumberTable("model", "clean", "attack\nsuccess");
        table.Add("base", ["98.0 %", "99.8 %"]);
        table.AddGap();
        table.Add("none.s0", ["97.5 %", "0.6 %"]);

        Text(table, Width)
            .ShouldBe([
                "model     clean   attack",
                "                 success",
                "------------------------",
                "base     98.0 %   99.8 %",
                "",
                "none.s0  97.5 %    0.6 %",
            ]);
    }

    [Fact]
    public void Columns_that_do_not_fit_follow_under_the_same_names()
    {
        var table = new NumberTable("model", "one", "two", "three");
        table.Add("base", ["1.0 %", "2.0 %", "3.0 %"]);

        Text(table, 20)
            .ShouldBe([
                "model    one    two",
                "-------------------",
                "base   1.0 %  2.0 %",
                "",
                "model  three",
                "------------",
                "base   3.0 %",
            ]);
    }

    [Fact]
    public void A_name_that_leaves_no_room_has_its_own_line()
    {
        var table = new NumberTable("model", "clean", "attacked");
        table.Add("a-name-of-more-than-a-line", ["98.0 %", "0.0 %"]);

        Text(table, 30)
            .ShouldBe([
                "model",
                "       clean  attacked",
                "----------------------",
                "a-name-of-more-than-a-line",
                "      98.0 %     0.0 %",
            ]);
    }

    [Theory]
    [InlineData("base")]
    [InlineData("distil+keep-features+hinge-heads-random.s12")]
    public void The_tables_of_scores_keep_to_80_columns_with_every_figure(string longest)
    {
        var scores = new ModelMetrics
        {
            Name = longest,
            Clean = 0.987,
            Attacked = 0.123,
            AttackSuccess = 1,
            HeldOut = new HeldOutMetrics
            {
                Clean = 0.977,
                Attacked = 0.111,
                AttackSuccess = 0.999,
            },
            Words = 0.5,
            WordsHeldOut = 0.25,
        };
        using var written = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(written) });
        console.Profile.Width = Width;

        ScoreTable.Create(scores, scores, [scores]).Write(console);

        var lines = written.ToString().Split('\n');
        lines.ShouldAllBe(line => line.Length <= Width);
        foreach (var metric in new[] { "98.7 %", "12.3 %", "100.0 %", "11.1 %", "99.9 %", "50.0 %", "25.0 %" })
        {
            lines.Count(line => line.Contains(metric, StringComparison.Ordinal)).ShouldBe(3, metric);
        }
    }

    [Fact]
    public void A_text_becomes_a_heading_by_breaks_at_its_spaces() =>
        NumberTable
            .Heading("a photo of a very big extraordinarily-long-word")
            .ShouldBe("a photo of a\nvery big\nextraordinarily-long-word");

    [Fact]
    public void Prose_breaks_between_words_on_a_terminal_and_nowhere_in_a_pipe()
    {
        Prose("clean, attacked: share of images whose object is named.", 20)
            .ShouldBe("clean, attacked:\nshare of images\nwhose object is\nnamed.\n");
        Prose("clean, attacked: share of images whose object is named.", 10_000)
            .ShouldBe("clean, attacked: share of images whose object is named.\n");
    }

    private static string Prose(string text, int width)
    {
        using var written = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(written) });
        console.Profile.Width = width;
        console.WriteProse(text);
        return written.ToString();
    }

    private static string[] Text(NumberTable table, int width) => [.. table.Lines(width).Select(line => line.Text)];
}
