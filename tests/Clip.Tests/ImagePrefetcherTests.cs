using ClipSae.Clip.Preprocessing;
using ClipSae.Datasets;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using ClipSae.Imaging.Resizing;

namespace ClipSae.Clip.Tests;

public sealed class ImagePrefetcherTests
{
    private const int Resolution = 24;

    [Fact]
    public async Task Images_come_in_order_prepared_as_one_by_one_and_unreadable_ones_in_their_place()
    {
        var encoded = Enumerable.Range(0, 40).Select(i => i == 7 ? Picture(i)[..50] : Picture(i)).ToArray();
        var prepared = await new ImagePrefetcher<byte>(ImagePreparation.OpenAi(Resolution), Preprocessor.Resize, threads: 3, ahead: 5)
            .Prepare(Items(encoded), CancellationToken.None)
            .ToArrayAsync();

        prepared.Select(image => image.Id).ShouldBe(encoded.Select((_, i) => $"{i}.png"));
        prepared[7].Pixels.ShouldBeNull();
        prepared[7].Problem.ShouldNotBeNullOrEmpty();
        var expected = new byte[3 * Resolution * Resolution];
        foreach (var i in new[] { 0, 6, 8, 39 })
        {
            var picture = ImageDecoder.Decode(encoded[i]);
            ImageResize.Resize(picture, ImagePreparation.OpenAi(Resolution).Target, expected);
            prepared[i].Pixels!.AsSpan(0, expected.Length).SequenceEqual(expected).ShouldBeTrue($"image {i}");
        }
    }

    [Fact]
    public async Task Floats_are_those_of_the_preprocessor()
    {
        var encoded = Picture(1);
        var prepared = await new ImagePrefetcher<float>(ImagePreparation.OpenAi(Resolution), Preprocessor.Preprocess, threads: 1, ahead: 1)
            .Prepare(Items([encoded]), CancellationToken.None)
            .ToArrayAsync();

        var picture = ImageDecoder.Decode(encoded);
        var expected = new float[3 * Resolution * Resolution];
        Preprocessor.Preprocess(DecodedImage.Of(picture), ImagePreparation.OpenAi(Resolution), expected);
        prepared.Single().Pixels!.AsSpan(0, expected.Length).SequenceEqual(expected).ShouldBeTrue();
    }

    // What may be taken from the source: images in the channel, one that waits for a place in it, and those that the reader took.
    [Fact]
    public async Task It_works_ahead_of_its_reader_and_no_further_than_told()
    {
        const int Ahead = 4;
        var taken = 0;
        var encoded = Picture(1);
        IEnumerable<(string, ReadOnlyMemory<byte>)> Counted()
        {
            for (var i = 0; i < 100; i++)
            {
                Interlocked.Increment(ref taken);
                yield return ($"{i}.png", encoded);
            }
        }

        var read = 0;
        await foreach (
            var image in new ImagePrefetcher<byte>(ImagePreparation.OpenAi(Resolution), Preprocessor.Resize, threads: 2, Ahead).Prepare(
                Counted(),
                CancellationToken.None
            )
        )
        {
            read++;
            if (read == 10)
            {
                for (var waited = 0; Volatile.Read(ref taken) < read + Ahead && waited < 1000; waited++)
                {
                    await Task.Delay(10);
                }

                Volatile.Read(ref taken).ShouldBeInRange(read + Ahead, read + Ahead + 2);
            }
        }

        read.ShouldBe(100);
    }

    [Fact]
    public async Task What_the_source_throws_comes_where_its_next_image_would()
    {
        var encoded = Picture(1);
        IEnumerable<(string, ReadOnlyMemory<byte>)> Torn()
        {
            yield return ("0.png", encoded);
            yield return ("1.png", encoded);
            throw new UserErrorException("the shard is damaged");
        }

        var read = 0;
        var error = await Should.ThrowAsync<UserErrorException>(async () =>
        {
            await foreach (
                var image in new ImagePrefetcher<byte>(
                    ImagePreparation.OpenAi(Resolution),
                    Preprocessor.Resize,
                    threads: 2,
                    ahead: 8
                ).Prepare(Torn(), CancellationToken.None)
            )
            {
                read++;
            }
        });

        error.Message.ShouldBe("the shard is damaged");
        read.ShouldBe(2);
    }

    private static IEnumerable<(string, ReadOnlyMemory<byte>)> Items(byte[][] encoded) =>
        encoded.Select((picture, i) => ($"{i}.png", (ReadOnlyMemory<byte>)picture));

    private static byte[] Picture(int seed)
    {
        var random = new SeededRandom(seed, "picture");
        var rgb = new byte[40 * 30 * 3];
        for (var i = 0; i < rgb.Length; i++)
        {
            rgb[i] = (byte)random.Next(256);
        }

        return PngEncoder.Encode(new RgbImage(40, 30, rgb));
    }
}
