using System.Text.Json;
using ClipSae.Clip.Tokenizers;

namespace ClipSae.Clip.Tests;

public class RepairedTextTests
{
    public static TheoryData<string, string> Texts
    {
        get
        {
            using var json = JsonDocument.Parse(
                File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Reference", "repaired_texts.json"))
            );
            var texts = new TheoryData<string, string>();
            foreach (var entry in json.RootElement.EnumerateArray())
            {
                texts.Add(entry.GetProperty("text").GetString()!, entry.GetProperty("clean").GetString()!);
            }

            return texts;
        }
    }

    /// <summary>What openai/CLIP's <c>basic_clean</c> and <c>whitespace_clean</c> give with ftfy 6.3.1, in lower case.</summary>
    [Theory]
    [MemberData(nameof(Texts))]
    public void Texts_are_cleaned_as_the_original_code_cleans_them(string text, string clean) => CaptionText.Clean(text).ShouldBe(clean);
}
