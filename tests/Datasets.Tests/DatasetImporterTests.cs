using System.Buffers.Binary;
using System.Formats.Tar;
using ClipSae.Datasets.Import;
using ClipSae.Datasets.Shards;
using ClipSae.Datasets.Sources;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;

namespace ClipSae.Datasets.Tests;

public sealed class DatasetImporterTests : IDisposable
{
    private readonly ImageFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_cannot_be_used_is_counted_and_named()
    {
        _folder.Image("good.png");
        _folder.Image("again.png");
        _folder.Bytes("corrupt.png", [1, 2, 3, 4]);
        _folder.Bytes("empty.png", []);
        _folder.Bytes("bomb.png", PngHeader(40_000, 40_000));
        File.WriteAllText(Path.Combine(_folder.Root, "secret.png"), "x");
        File.CreateSymbolicLink(Path.Combine(_folder.Data, "link.png"), Path.Combine(_folder.Root, "secret.png"));
        File.CreateSymbolicLink(Path.Combine(_folder.Data, "folder"), _folder.Root);
        _folder.Text(
            "captions.csv",
            $"""
            filepath,caption
            good.png,fine
            again.png,twice
            again.png,twice
            corrupt.png,a
            empty.png,b
            bomb.png,c
            missing.png,d
            ../secret.png,e
            {_folder.Root}/secret.png,f
            link.png,g
            folder/secret.png,h
            good.png
            ,i
            good.png,
            """
        );
        var imported = await _folder.Import();
        (await _folder.Items(imported)).Select(item => item.Item.Id).ShouldBe(["good.png", "again.png"]);
        imported.Content.Rows.ShouldBe(14);
        imported.Content.ProblemCounts.ShouldBe(
            new Dictionary<string, int>
            {
                [ImportProblemKind.BadRow] = 2,
                [ImportProblemKind.Duplicate] = 1,
                [ImportProblemKind.MissingFile] = 1,
                [ImportProblemKind.NoCaption] = 1,
                [ImportProblemKind.OutsideFolder] = 4,
                [ImportProblemKind.UnreadableImage] = 3,
            },
            ignoreOrder: true
        );
        imported.Content.Problems.Single(problem => problem.Where == "bomb.png").Detail.ShouldContain("40000 × 40000");
        DatasetManifest.Load(await _folder.Store.FetchAsync(imported.Manifest)).Problems.ShouldBe(imported.Content.Problems);
    }

    [Theory]
    [InlineData("full.jpg")]
    [InlineData("progressive.jpg")]
    [InlineData("palette.png")]
    [InlineData("full.png")]
    [InlineData("p-interlaced.gif")]
    [InlineData("rgb.webp")]
    [InlineData("p.bmp")]
    public async Task A_picture_that_is_cut_is_named_at_once(string name)
    {
        var sound = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Reference", name));
        _folder.Bytes("cat/sound", sound);
        _folder.Bytes("cat/cut", sound[..(sound.Length * 2 / 3)]);

        var imported = await _folder.Import();

        (await _folder.Items(imported)).ShouldHaveSingleItem().Item.Id.ShouldBe("cat/sound");
        imported.Content.Problems.ShouldHaveSingleItem().Where.ShouldBe("cat/cut");
    }

    // A pipe would never end: it must not be opened.
    [Fact]
    public async Task Pipes_in_the_folder_are_no_pictures_and_no_captions()
    {
        _folder.Image("cat/1.png");
        using (
            var pipes = System.Diagnostics.Process.Start(
                "mkfifo",
                [Path.Combine(_folder.Data, "cat/2.png"), Path.Combine(_folder.Data, "cat/3"), Path.Combine(_folder.Data, "cat/1.txt")]
            )
        )
        {
            await pipes.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        (await _folder.ImportProblem()).ShouldContain("cat/1.png: no .txt with a caption beside it");

        File.Delete(Path.Combine(_folder.Data, "cat/1.txt"));
        var imported = await _folder.Import();
        (await _folder.Items(imported)).ShouldHaveSingleItem().Item.Id.ShouldBe("cat/1.png");
        imported.Content.Problems.ShouldHaveSingleItem().Where.ShouldBe("cat/2.png");
    }

    [Fact]
    public async Task Pictures_of_another_mode_are_packed_as_RGB_where_conversion_comes_first()
    {
        foreach (var name in new[] { "alpha.png", "full.png", "full.jpg", "cmyk.jpg" })
        {
            _folder.Bytes($"cat/{name}", File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Reference", name)));
        }

        var first = (await _folder.Items(await _folder.Import(new ImportOptions { ConvertFirst = true }))).ToDictionary(
            item => item.Item.Id,
            item => item.Bytes
        );
        var own = (await _folder.Items(await _folder.Import())).ToDictionary(item => item.Item.Id, item => item.Bytes);

        first
            .Where(item => !item.Value.SequenceEqual(own[item.Key]))
            .Select(item => item.Key)
            .Order(StringComparer.Ordinal)
            .ShouldBe(["cat/alpha.png", "cat/cmyk.jpg"]);
        foreach (var (id, bytes) in first)
        {
            ImageDecoder.Read(bytes).Mode.ShouldBe(PixelMode.Rgb);
            ImageDecoder.Decode(bytes).Rgb.ShouldBe(ImageDecoder.Decode(own[id]).Rgb);
        }
    }

    [Fact]
    public async Task Too_many_problems_stop_the_import()
    {
        _folder.Image("good.png");
        _folder.Text("captions.json", """{"good.png": ["a"], "missing.png": ["b"]}""");
        var error = await Should.ThrowAsync<UserErrorException>(() => _folder.Import(new ImportOptions()));
        error.Message.ShouldContain("1 of 2 rows");
        error.Message.ShouldContain("missing.png");
    }

    [Fact]
    public async Task The_same_folder_gives_the_same_digests()
    {
        for (var index = 0; index < 40; index++)
        {
            _folder.Image($"{(index % 2 == 0 ? "cat" : "dog")}/{index}.png", index);
        }

        var options = new ImportOptions { ShardItems = 7 };
        var one = await _folder.Import(options);
        var other = await _folder.Import(options);
        one.Shards.Count.ShouldBe(6);
        other.Manifest.ShouldBe(one.Manifest);
        other.Shards.ShouldBe(one.Shards);
        one.Content.Items[8].Shard.ShouldBe(1);
        Directory.GetFiles(_folder.Root, "*.tar").ShouldBeEmpty();
    }

    [Fact]
    public async Task An_empty_folder_is_a_clear_error() =>
        (await Should.ThrowAsync<UserErrorException>(() => _folder.Import())).Message.ShouldContain("is empty");

    [Fact]
    public async Task An_empty_caption_file_is_a_clear_error()
    {
        _folder.Text("captions.json", "{}");
        (await Should.ThrowAsync<UserErrorException>(() => _folder.Import())).Message.ShouldContain("is empty");
    }

    [Fact]
    public async Task One_class_is_an_error_only_where_labels_are_needed()
    {
        _folder.Image("cat/1.png");
        (await _folder.Import()).Content.Items.Count.ShouldBe(1);
        var error = await Should.ThrowAsync<UserErrorException>(() => _folder.Import(new ImportOptions { LabelsNeeded = true }));
        error.Message.ShouldContain("one class");
    }

    [Fact]
    public async Task A_damaged_shard_is_one_clear_line()
    {
        _folder.Image("cat/1.png");
        var shard = await File.ReadAllBytesAsync(await _folder.Store.FetchAsync((await _folder.Import()).Shards[0]));
        var path = Path.Combine(_folder.Root, "damaged.tar");
        var random = new SeededRandom(7, "damage");
        for (var trial = 0; trial < 100; trial++)
        {
            var damaged = shard.AsSpan(0, random.Next(3) == 0 ? random.Next(shard.Length) : shard.Length).ToArray();
            for (var flips = random.Next(0, 4); flips > 0 && damaged.Length > 0; flips--)
            {
                damaged[random.Next(damaged.Length)] = (byte)random.NextBits();
            }

            await File.WriteAllBytesAsync(path, damaged);
            try
            {
                _ = DatasetShard.Read(path).Count();
            }
            catch (UserErrorException error)
            {
                error.Message.ShouldContain(path);
            }
        }
    }

    [Theory]
    [InlineData('0')]
    [InlineData('L')]
    [InlineData('x')]
    [InlineData('g')]
    public void A_lying_length_allocates_nothing(char type)
    {
        var path = Path.Combine(_folder.Root, "lying.tar");
        using (var stream = File.Create(path))
        using (var writer = new TarWriter(stream, TarEntryFormat.Ustar))
        {
            writer.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, "00000000.json") { DataStream = new MemoryStream([1]) });
        }

        var bytes = File.ReadAllBytes(path);
        bytes[156] = (byte)type;
        "77777777777\0"u8.CopyTo(bytes.AsSpan(124));
        var sum = bytes.Take(512).Select((value, index) => index is >= 148 and < 156 ? 32 : value).Sum();
        System.Text.Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(bytes, 148);
        File.WriteAllBytes(path, bytes);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Should.Throw<UserErrorException>(() => DatasetShard.Read(path).Count()).Message.ShouldContain("damaged");
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(4 << 20);
    }

    private static byte[] PngHeader(int width, int height)
    {
        byte[] png =
        [
            0x89,
            0x50,
            0x4E,
            0x47,
            0x0D,
            0x0A,
            0x1A,
            0x0A,
            0,
            0,
            0,
            13,
            0x49,
            0x48,
            0x44,
            0x52,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            8,
            2,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0x49,
            0x44,
            0x41,
            0x54,
            0x35,
            0xAF,
            0x06,
            0x1E,
            0,
            0,
            0,
            0,
            0x49,
            0x45,
            0x4E,
            0x44,
            0xAE,
            0x42,
            0x60,
            0x82,
        ];
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(16), width);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(20), height);
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(29), Crc(png.AsSpan(12, 17)));
        return png;
    }

    private static uint Crc(ReadOnlySpan<byte> content)
    {
        var crc = uint.MaxValue;
        foreach (var value in content)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320);
            }
        }

        return ~crc;
    }
}
