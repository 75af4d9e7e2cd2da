using System.Text.Json.Nodes;

namespace ClipSae.TestKit.Commands;

/// <summary>How a <c>clipsae</c> process ended, and what it wrote.</summary>
public sealed record CommandResult(int Code, string Out, string Error)
{
    public JsonObject Json => JsonNode.Parse(Out)!.AsObject();

    /// <summary>The command failed as it should: this code, one line of its own that says this, no stack trace.</summary>
    public void ShouldRefuse(int code, params string[] texts)
    {
        Code.ShouldBe(code, Error);
        var lines = Error
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => line.StartsWith("clipsae: ", StringComparison.Ordinal))
            .ToArray();
        lines.Length.ShouldBe(1, Error);
        foreach (var text in texts)
        {
            lines[0].ShouldContain(text, Case.Insensitive, Error);
        }

        Error.ShouldNotContain("   at ClipSae.");
        lines[0].ShouldNotContain("a defect");
    }
}
