using ClipSae.Datasets;

namespace ClipSae.AttackCuration.Tests;

public sealed class PicturesTests : IDisposable
{
    private static readonly AttackCurationOptions Options = new() { HeldOutWords = ["car"], Seed = 2 };
    private readonly CurationBench bench = new();

    public void Dispose() => bench.Dispose();

    [Fact]
    public async Task Pictures_that_show_a_held_out_word_are_left_out_and_its_class_stays()
    {
        var pictures = await ReadAsync(Options);

        // A tenth of them shows the word.
        pictures.All.Count.ShouldBe(CurationBench.Images * 9 / 10);
        pictures.All.Select(p => PictureSource.PrintedWord(p.Item)).ShouldNotContain("car");
        pictures.Plain.Select(p => p.Label).ShouldContain("car");
    }

    [Fact]
    public async Task Words_are_printed_on_pictures_without_print_alone()
    {
        var pictures = await ReadAsync(Options);

        pictures.Plain.Count.ShouldBe(CurationBench.Images * 8 / 10);
        pictures.Plain.ShouldAllBe(p => PictureSource.PrintedWord(p.Item) == null);
        pictures.All.Count(p => PictureSource.PrintedWord(p.Item) == "dog").ShouldBe(CurationBench.Images / 10);
    }

    [Fact]
    public async Task Their_order_follows_from_the_seed()
    {
        string[] Ids(Pictures pictures) => [.. pictures.All.Select(p => p.Item.Id)];
        var first = Ids(await ReadAsync(Options));

        Ids(await ReadAsync(Options)).ShouldBe(first);
        Ids(await ReadAsync(Options with { Seed = 3 })).ShouldNotBe(first);
        first.ShouldNotBe([.. first.Order(StringComparer.Ordinal)]);
    }

    [Fact]
    public async Task A_caption_names_a_class_as_a_whole_word()
    {
        var inputs = await bench.InputsAsync();
        (DatasetItem, byte[])[] captioned =
        [
            .. Enumerable.Range(0, 8).Select(i => (new DatasetItem($"cat-{i}.png", ["two CAT toys"]), CurationBench.Noise(i))),
            (new DatasetItem("category.png", ["a category"]), CurationBench.Noise(8)),
        ];
        inputs.Remove("shards/00001");
        inputs["shards/00000"] = await bench.PutShardAsync(captioned);
        var pictures = await Pictures.ReadAsync(bench.Context(inputs), Options with { Classes = ["cat", "dog"] }, CancellationToken.None);

        pictures.Plain.Select(p => p.Label).ShouldBe(Enumerable.Repeat("cat", 8));
        pictures.All.Count.ShouldBe(9);
    }

    private async Task<Pictures> ReadAsync(AttackCurationOptions options) =>
        await Pictures.ReadAsync(bench.Context(await bench.InputsAsync()), options, CancellationToken.None);
}
