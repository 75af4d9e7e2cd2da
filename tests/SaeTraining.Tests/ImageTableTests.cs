using ClipSae.Datasets;
using ClipSae.Datasets.Shards;

namespace ClipSae.SaeTraining.Tests;

public sealed class ImageTableTests : IDisposable
{
    private static readonly string[] Classes = ["ant", "bee", "cow", "dog", "eel"];
    private readonly SaeTrainingSetup _setup = new();

    public void Dispose() => _setup.Dispose();

    // Folders by class, as ImageNet's, come class after class; the first pictures would all be ants.
    [Fact]
    public async Task Labelled_pictures_are_of_all_classes_in_equal_number()
    {
        var table = await ReadAsync(wanted: 10);

        table
            .Labelled.CountBy(picture => picture.Label)
            .OrderBy(count => count.Key)
            .ShouldBe(Classes.Select(name => KeyValuePair.Create(name, 2)));
        table.Classes.ShouldBe(Classes);
        table.Captions.Count.ShouldBe(80);
    }

    [Fact]
    public async Task Which_ones_follows_from_the_seed()
    {
        var first = Bytes(await ReadAsync(wanted: 3));

        first.Length.ShouldBe(3);
        Bytes(await ReadAsync(wanted: 3)).ShouldBe(first);
        Bytes(await ReadAsync(wanted: 3, seed: 1)).ShouldNotBe(first);
    }

    [Fact]
    public async Task Only_held_out_pictures_are_among_them()
    {
        // Of each class's sixteen, every second is held out; the byte of a picture is its number.
        (await ReadAsync(wanted: 1000))
            .Labelled.Select(picture => (int)picture.Encoded.Span[0])
            .Order()
            .ShouldBe(Enumerable.Range(0, 40).Select(i => 2 * i));
    }

    private static byte[] Bytes(ImageTable table) => [.. table.Labelled.Select(picture => picture.Encoded.Span[0]).Order()];

    private async Task<ImageTable> ReadAsync(int wanted, long seed = 0)
    {
        var inputs = new Dictionary<string, ArtifactRef>();
        foreach (var shard in Enumerable.Range(0, 2))
        {
            var path = Path.Combine(_setup.NewFolder(), "shard.tar");
            DatasetShard.Write(
                path,
                Enumerable.Range(40 * shard, 40).Select(i => (new DatasetItem(Id(i), [$"picture {i}"], Classes[i / 16]), new[] { (byte)i }))
            );
            inputs[$"shards/{shard:D5}"] = await _setup.Store.PutFileAsync(path, "shard", DatasetShard.MediaType);
        }

        var heldOut = Enumerable.Range(0, 40).Select(i => Id(2 * i)).ToHashSet(StringComparer.Ordinal);
        return await ImageTable.ReadAsync(
            _setup.Context(inputs),
            heldOut,
            new SaeOptions { ReconstructionImages = wanted, Seed = seed },
            CancellationToken.None
        );
    }

    private static string Id(int number) => $"images/{number:D3}.png";
}
