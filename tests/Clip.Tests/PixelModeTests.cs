using ClipSae.Clip.Preprocessing;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Resizing;

namespace ClipSae.Clip.Tests;

/// <summary>
/// Pictures in each mode that files have, with what Pillow 9.4 makes of them by openai/CLIP's transform at 32 pixels: resized as they are
/// (bicubic), cropped to the centre, then converted to RGB. Written by Pillow; of 16 bits, interlaced and YCCK (an Adobe marker changed) by
/// hand.
/// </summary>
public class PixelModeTests
{
    private const int Resolution = 32;

    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Reference", "modes");

    public static TheoryData<string> Files =>
        [
            .. Directory
                .GetFiles(Folder)
                .Select(path => Path.GetFileName(path))
                .Where(name => !name.EndsWith(".expected.png", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal),
        ];

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_mode_is_resized_and_converted_in_Pillows_order_to_the_bit(string name)
    {
        var picture = ImageDecoder.Read(File.ReadAllBytes(Path.Combine(Folder, name)));
        var actual = new byte[3 * Resolution * Resolution];

        ImageResize.Resize(picture, ImagePreparation.OpenAi(Resolution).Target, actual);

        var expected = ImageDecoder.Decode(File.ReadAllBytes(Path.Combine(Folder, name + ".expected.png"))).Rgb;
        actual.Zip(expected).Max(pair => Math.Abs(pair.First - pair.Second)).ShouldBe(0);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public async Task The_prefetcher_gives_the_same(string name)
    {
        var encoded = File.ReadAllBytes(Path.Combine(Folder, name));
        (string, ReadOnlyMemory<byte>)[] items = [(name, encoded)];
        var actual = new List<byte[]>();
        await foreach (
            var image in new ImagePrefetcher<byte>(ImagePreparation.OpenAi(Resolution), Preprocessor.Resize, threads: 1, ahead: 1).Prepare(
                items,
                TestContext.Current.CancellationToken
            )
        )
        {
            actual.Add(image.Pixels.ShouldNotBeNull().AsSpan(0, 3 * Resolution * Resolution).ToArray());
        }

        var expected = ImageDecoder.Decode(File.ReadAllBytes(Path.Combine(Folder, name + ".expected.png"))).Rgb;
        actual.ShouldHaveSingleItem().AsSpan().SequenceEqual(expected).ShouldBeTrue();
    }
}
