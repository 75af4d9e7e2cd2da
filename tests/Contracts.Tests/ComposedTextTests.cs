using System.Globalization;

namespace ClipSae.Contracts.Tests;

public class ComposedTextTests
{
    /// <summary>
    /// 400 random texts of marks, letters that decompose and Hangul, with what Python's <c>unicodedata.normalize</c> (Unicode 14) makes of
    /// them.
    /// </summary>
    [Fact]
    public void Agrees_with_Pythons_normalization()
    {
        foreach (var line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Reference", "composed.txt")))
        {
            string[] texts = [.. line.Split(';').Select(Text)];
            ComposedText.Of(texts[0]).ShouldBe(texts[1], line);
            ComposedText.Apart(texts[0]).ShouldBe(texts[2], line);
        }
    }

    [Fact]
    public void A_long_run_of_marks_is_ordered_in_good_time()
    {
        var marks = string.Concat(Enumerable.Repeat("\u0301\u0323", 200_000));

        ComposedText.Apart("e" + marks).ShouldBe("e" + new string('\u0323', 200_000) + new string('\u0301', 200_000));
    }

    private static string Text(string codePoints) =>
        string.Concat(
            codePoints
                .Split(' ')
                .Select(code => char.ConvertFromUtf32(int.Parse(code, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)))
        );
}
