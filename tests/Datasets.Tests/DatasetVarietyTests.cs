using ClipSae.Datasets.Import;

namespace ClipSae.Datasets.Tests;

public sealed class DatasetVarietyTests : IDisposable
{
    private readonly ImageFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(300, 300, 1, "all 300 pictures have the same caption")]
    [InlineData(40, 1, 40, "all 40 pictures are copies of one file")]
    [InlineData(40, 2, 2, null)]
    [InlineData(1, 1, 1, null)]
    public void Pairs_that_teach_nothing_are_told(int pairs, int pictures, int captions, string? hindrance) =>
        new DatasetVariety(pairs, pictures, captions).Hindrance.ShouldBe(hindrance);

    [Theory]
    [InlineData(40, 19, 40, "only 19 of 40 pictures differ")]
    [InlineData(400, 400, 2, "only 2 different captions")]
    [InlineData(40, 21, 2, "only 2 different captions")]
    [InlineData(10, 10, 2, null)]
    [InlineData(40, 20, 3, null)]
    public void Pairs_that_teach_little_are_told(int pairs, int pictures, int captions, string? doubt) =>
        (new DatasetVariety(pairs, pictures, captions).Doubt ?? "").ShouldContain(doubt ?? "");

    [Fact]
    public async Task An_import_counts_what_differs()
    {
        _folder.Image("cat/1.png", 10);
        _folder.Image("cat/2.png", 10);
        _folder.Image("dog/1.png", 20);

        (await _folder.Import()).Variety.ShouldBe(new DatasetVariety(3, 2, 2));
    }
}
