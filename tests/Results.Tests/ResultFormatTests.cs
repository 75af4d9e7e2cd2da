using System.Text;
using ClipSae.Results.Autoencoders;
using ClipSae.Results.Evaluation;

namespace ClipSae.Results.Tests;

public sealed class ResultFormatTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Fact]
    public async Task What_was_written_is_read_again()
    {
        var written = ResultFormats.EvaluationMetrics.Write(Metrics);

        ResultFormats.EvaluationMetrics.Write(await ReadAsync(written, ResultFormats.EvaluationMetrics.MediaType)).ShouldBe(written);
    }

    [Fact]
    public void An_index_is_written_member_by_member_and_read_again()
    {
        var index = new FeatureIndex(
            2,
            ["a.png", "b.png"],
            [
                new IndexedFeature(3, 1, [new ActivationBand(0, 0.5, [new IndexedImage(1, 0.25), new IndexedImage(0, 3)])], [], []),
                new IndexedFeature(7, 0, [], [], []),
            ]
        );

        var written = ResultFormats.FeatureIndex.Write(index);

        Encoding
            .UTF8.GetString(written)
            .ShouldContain("""[{"from":0,"to":0.5,"images":[{"image":1,"activation":0.25},{"image":0,"activation":3}]}]""");
        var read = ResultFormats.FeatureIndex.Read(written, "index");
        ResultFormats.FeatureIndex.Write(read).ShouldBe(written);
        read.Feature(7)!.Fires.ShouldBe(0);
        read.Feature(3)!.Bands[0].Images[1].ShouldBe(new IndexedImage(0, 3));
        new[] { 0, 5, 8 }.ShouldAllBe(number => read.Feature(number) == null);
    }

    [Theory]
    [InlineData("""{"image":1,"activation":1,"other":2}""", "'other'")]
    [InlineData("""{"image":1}""", "'activation'")]
    [InlineData("""{"image":1.5,"activation":1}""", "features[0].bands[0]")]
    [InlineData("""{"image":"1","activation":1}""", "features[0].bands[0]")]
    [InlineData("1", "StartObject")]
    public void An_image_of_an_index_that_does_not_fit_is_named_in_one_line(string image, string part)
    {
        var content =
            $$"""{"stride":1,"images":["a"],"features":[{"feature":0,"fires":1,"bands":[{"from":0,"to":1"""
            + $$""","images":[{{image}}]}],"classes":[],"words":[]}]}""";

        var line = Should
            .Throw<UserErrorException>(() => ResultFormats.FeatureIndex.Read(Encoding.UTF8.GetBytes(content), "index"))
            .Message;

        line.ShouldContain(part);
        line.ShouldNotContain("\n");
    }

    [Fact]
    public async Task What_was_written_before_formats_had_names_is_read_as_the_first_version() =>
        (await ReadAsync(ResultFormats.EvaluationMetrics.Write(Metrics), "application/json")).Base.Clean.ShouldBe(0.5);

    [Theory]
    [InlineData(
        "application/vnd.clipsae.evaluation-figures.v2+json",
        "results.json cannot be read as evaluation-figures/1: it is of version 2; use the ClipSae that wrote it, or a newer one"
    )]
    [InlineData(
        "application/vnd.clipsae.examples.v1+json",
        "results.json cannot be read as evaluation-figures/1: it is of type application/vnd.clipsae.examples.v1+json"
    )]
    [InlineData(
        "application/x-safetensors",
        "results.json cannot be read as evaluation-figures/1: it is of type application/x-safetensors"
    )]
    public async Task Another_version_or_format_is_refused(string mediaType, string line) =>
        (
            await Should.ThrowAsync<UserErrorException>(ReadAsync(ResultFormats.EvaluationMetrics.Write(Metrics), mediaType))
        ).Message.ShouldBe(line);

    [Theory]
    [InlineData("""{"arms":[]}""", "'base'")]
    [InlineData(
        """{"base":{"heldOut":{},"name":"base"},"arms":[{"heldOut":{},"name":"x","seeds":1,"validation":null}]}""",
        "arms[0]: ",
        "'control'"
    )]
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

    private static EvaluationMetrics Metrics =>
        new(
            new ModelMetrics
            {
                Name = "base",
                Clean = 0.5,
                HeldOut = new HeldOutMetrics(),
            },
            []
        );

    private async Task<EvaluationMetrics> ReadAsync(byte[] content, string mediaType)
    {
        await File.WriteAllBytesAsync(_file, content);
        return await ResultFormats.EvaluationMetrics.ReadAsync(
            new ArtifactRef("sha256:0", content.Length, mediaType, "results.json"),
            (_, _) => Task.FromResult(_file),
            CancellationToken.None
        );
    }
}
