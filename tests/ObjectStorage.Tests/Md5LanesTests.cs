using System.Security.Cryptography;
using ClipSae.TestKit.Files;

namespace ClipSae.ObjectStorage.Tests;

public sealed class Md5LanesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // Expected: the digests of .NET's own MD5, at lengths about those where a block, the padding or a chunk ends.
    [Theory]
    [InlineData(1, 0)]
    [InlineData(3, 700_000)]
    [InlineData(4, 0)]
    [InlineData(5, 1)]
    [InlineData(16, 55)]
    [InlineData(9, 56)]
    [InlineData(16, 63)]
    [InlineData(5, 64)]
    [InlineData(16, 119)]
    [InlineData(16, 32_767)]
    [InlineData(16, 32_768)]
    [InlineData(7, 32_769)]
    [InlineData(16, 200_000)]
    public void Each_section_has_the_digest_it_has_alone(int sections, int length)
    {
        var content = new byte[(sections * length) + 3];
        new Random(length).NextBytes(content);
        using var file = FileOf(content);
        long[] starts = [.. Enumerable.Range(0, sections).Select(section => 3L + (section * length))];

        var digests = Md5Lanes.OfSections(file, starts, length);

        digests
            .Select(Convert.ToHexString)
            .ShouldBe(starts.Select(start => Convert.ToHexString(MD5.HashData(content.AsSpan((int)start, length)))));
    }

    [Fact]
    public void A_file_that_ends_early_is_no_digest()
    {
        using var file = FileOf(new byte[100]);

        Should.Throw<EndOfStreamException>(() => Md5Lanes.OfSections(file, [0, 10, 20, 60], 50));
        Should.Throw<EndOfStreamException>(() => Md5Lanes.OfSections(file, [60], 50));
    }

    private Microsoft.Win32.SafeHandles.SafeFileHandle FileOf(byte[] content)
    {
        var path = _folder.File("file");
        File.WriteAllBytes(path, content);
        return File.OpenHandle(path);
    }
}
