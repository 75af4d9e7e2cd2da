using System.Text;
using ClipSae.Contracts;

namespace ClipSae.Results.Tests;

public sealed class ResultFormatTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Fact]
    public async Task What_was_written_is_read_again()
    {
        var written = ResultFormats.EvaluationFigures.Write(Figures);

        ResultFormats.EvaluationFigures.Write(await ReadAsync(written, ResultFormats.EvaluationFigures.MediaType)).ShouldBe(written);
    }

    [Fact]
    public async Task What_was_written_before_formats_had_names_is_read_as_the_first_version() =>
        (await ReadAsync(ResultFormats.EvaluationFigures.Write(Figures), "application/json")).Base.Clean.ShouldBe(0.5);

    [Theory]
    [InlineData("application/vnd.clipsae.evaluation-figures.v2+json", "results.json cannot be read as evaluation-figures/1: it is of version 2; use the ClipSae that wrote it, or a newer one")]
    [InlineData("application/vnd.clipsae.examples.v1+json", "results.json cannot be read as evaluation-figures/1: it is of type application/vnd.clipsae.examples.v1+json")]
    [InlineData("application/x-safetensors", "results.json cannot be read as evaluation-figures/1: it is of type application/x-safetensors")]
    public async Task Another_version_or_format_is_refused(string mediaType, string line) =>
        (await Should.ThrowAsync<UserErrorException>(ReadAsync(ResultFormats.EvaluationFigures.Write(Figures), mediaType))).Message.ShouldBe(line);

    [Theory]
    [InlineData("""{"arms":[]}""", "'base'")]
    [InlineData("""{"base":{"heldOut":{},"name":"base"},"arms":[{"heldOut":{},"name":"x","seeds":1,"validation":null}]}""", "arms[0]: ", "'control'")]
    [InlineData("""{"base":{"clean":"half","heldOut":{},"name":"base"},"arms":[]}""", "base.clean: ")]
    [InlineData("""{"base":{"heldOut":{},"name":"base"},"arms":[],"other":1}""", "'other'")]
    [InlineData("""{"base":{"heldOut":{},"name":null},"arms":[]}""", "base", "name")]
    [InlineData("null", "it is null")]
    [InlineData("""{"base":""", "base")]
    [InlineData("no JSON", "invalid")]
    public async Task What_does_not_fit_is_named_in_one_line(string content, params string[] parts)
    {
        var message = (await Should.ThrowAsync<UserErrorException>(ReadAsync(Encoding.UTF8.GetBytes(content), "application/json"))).Message;

        message.ShouldStartWith("results.json cannot be read as evaluation-figures/1: ");
        message.ShouldNotContain('\n');
        parts.ShouldAllBe(part => message.Contains(part, StringComparison.Ordinal), message);
    }

    [Fact]
    public void Wire_names_are_unlike() => ResultFormats.All.Select(format => format.MediaType).ShouldBeUnique();

    private static EvaluationFigures Figures => new(new ModelFigures { Name = "base", Clean = 0.5, HeldOut = new HeldOutFigures() }, []);

    private async Task<EvaluationFigures> ReadAsync(byte[] content, string mediaType)
    {
        await File.WriteAllBytesAsync(_file, content);
        return await ResultFormats.EvaluationFigures.ReadAsync(new ArtifactRef("sha256:0", content.Length, mediaType, "results.json"), (_, _) => Task.FromResult(_file), CancellationToken.None);
    }
}
