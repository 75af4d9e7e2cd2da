using ClipSae.AttackCuration.Images;
using ClipSae.AttackCuration.Settings;
using ClipSae.Datasets;
using ClipSae.Imaging.Decoding;

namespace ClipSae.AttackCuration.Tests;

public sealed class CurationImagesTests : IDisposable
{
    private static readonly AttackCurationOptions Options = new() { HeldOutWords = ["car"], Seed = 2 };
    private static readonly HeldOutPrint HeldOut = new(["car"], ["Sans Bold"]);
    private readonly CurationSetup _setup = new();

    public void Dispose() => _setup.Dispose();

    [Fact]
    public async Task Pictures_that_show_a_held_out_word_are_left_out_and_its_class_stays()
    {
        var pictures = await ReadAsync(Options);

        // A tenth of them shows the word.
        pictures.All.Count.ShouldBe(CurationSetup.Images * 9 / 10);
        pictures.All.Select(p => PrintedText.On(p.Item)?.Word).ShouldNotContain("car");
        pictures.Plain.Select(p => p.Label).ShouldContain("car");
    }

    [Fact]
    public async Task Pictures_that_show_a_held_out_face_are_left_out()
    {
        var inputs = await _setup.InputsAsync();
        inputs["shards/00002"] = await _setup.PutShardAsync([
            (
                new DatasetItem("display.png", ["a photo of a cat"], "cat", new() { ["word"] = "dog", ["font"] = "Sans Bold" }),
                CurationSetup.Noise(99)
            ),
        ]);
        var pictures = await CurationImages.ReadAsync(_setup.Context(inputs), Options, HeldOut, CancellationToken.None);

        pictures.All.Select(p => p.Item.Id).ShouldNotContain("display.png");
        (await CurationImages.ReadAsync(_setup.Context(inputs), Options, HeldOut with { Fonts = [] }, CancellationToken.None))
            .All.Select(p => p.Item.Id)
            .ShouldContain("display.png");
    }

    [Fact]
    public async Task Words_are_printed_on_pictures_without_print_alone()
    {
        var pictures = await ReadAsync(Options with { Families = [] });

        pictures.Plain.Count.ShouldBe(CurationSetup.Images * 8 / 10);
        pictures.Plain.ShouldAllBe(p => PrintedText.On(p.Item) == null);
        pictures.All.Count(p => PrintedText.On(p.Item)?.Word == "dog").ShouldBe(CurationSetup.Images / 10);
    }

    [Fact]
    public async Task For_families_a_tenth_of_them_is_set_apart()
    {
        var (all, parted) = (await ReadAsync(Options with { Families = [] }), await ReadAsync(Options));

        parted.Apart.Count.ShouldBe(CurationSetup.Images * 8 / 100);
        parted.Plain.Concat(parted.Apart).Select(p => p.Item.Id).ShouldBe(all.Plain.Select(p => p.Item.Id));
        all.Apart.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_picture_that_is_cut_behind_its_header_is_left_out_and_named()
    {
        var cut = CurationSetup.Noise(98)[..800];
        ImageDecoder.TryReadSize(cut, null, out _, out _).ShouldBeTrue();
        var inputs = await _setup.InputsAsync();
        inputs["shards/00002"] = await _setup.PutShardAsync([(new DatasetItem("cut.png", ["a photo of a cat"], "cat"), cut)]);

        var pictures = await CurationImages.ReadAsync(_setup.Context(inputs), Options, HeldOut, CancellationToken.None);

        pictures.Unreadable.ShouldBe(["cut.png: truncated"]);
        pictures.All.Select(p => p.Item.Id).ShouldBe((await ReadAsync(Options)).All.Select(p => p.Item.Id), ignoreOrder: true);
    }

    [Fact]
    public async Task Their_order_follows_from_the_seed()
    {
        string[] Ids(CurationImages pictures) => [.. pictures.All.Select(p => p.Item.Id)];
        var first = Ids(await ReadAsync(Options));

        Ids(await ReadAsync(Options)).ShouldBe(first);
        Ids(await ReadAsync(Options with { Seed = 3 })).ShouldNotBe(first);
        first.ShouldNotBe([.. first.Order(StringComparer.Ordinal)]);
    }

    [Fact]
    public async Task A_picture_is_labelled_by_the_one_class_that_its_captions_name()
    {
        var pictures = await CaptionedAsync(Options with { Classes = ["cat", "dog"] }, "a cat.", "a category", "a dog and a cat");

        pictures.Plain.Select(p => p.Label).ShouldBe(Enumerable.Repeat("cat", 8));
        pictures.All.Count.ShouldBe(10);
    }

    [Fact]
    public async Task Pictures_of_which_every_word_is_true_carry_none()
    {
        var options = Options with { Classes = ["cat", "dog"], Words = ["taxi", "news"] };

        (await CaptionedAsync(options, "a cat", "news of a dog in a taxi")).Plain.ShouldAllBe(p => p.Label == "cat");
        (await CaptionedAsync(options, "a cat", "a dog in a taxi")).Plain.Single(p => p.Label == "dog").IsWrong("taxi").ShouldBeFalse();
    }

    /// <param name="first">Caption of eight pictures.</param>
    /// <param name="others">Captions of one picture each.</param>
    private async Task<CurationImages> CaptionedAsync(AttackCurationOptions options, string first, params string[] others)
    {
        var inputs = await _setup.InputsAsync();
        inputs.Remove("shards/00001");
        inputs["shards/00000"] = await _setup.PutShardAsync(
            Enumerable
                .Repeat(first, 8)
                .Concat(others)
                .Select((caption, i) => (new DatasetItem($"{i}.png", [caption]), CurationSetup.Noise(i)))
        );
        return await CurationImages.ReadAsync(_setup.Context(inputs), options, HeldOut, CancellationToken.None);
    }

    private async Task<CurationImages> ReadAsync(AttackCurationOptions options) =>
        await CurationImages.ReadAsync(_setup.Context(await _setup.InputsAsync()), options, HeldOut, CancellationToken.None);
}
