using System.Buffers.Binary;
using ClipSae.Tensors.Torch;
using ClipSae.TestKit.Files;
using TorchSharp;

namespace ClipSae.Tensors.Tests;

/// <summary>Zip archives whose headers or contents are damaged give no shifted weights. The file is one that PyTorch wrote.</summary>
public sealed class DamagedZipTests : IDisposable
{
    private const int LocalHeader = 0x04034b50;

    private readonly DisposeScope _scope = torch.NewDisposeScope();
    private readonly TemporaryFolder _folder = new();
    private readonly byte[] _original = File.ReadAllBytes(Reference.File("openai_clip_tiny.state_dict.fp16.pt"));

    // Lengths of name and extra field say where the content begins; the bits cover shifts by a descriptor's sizes too.
    [Theory]
    [InlineData(26)]
    [InlineData(28)]
    public void A_damaged_length_in_a_local_header_is_refused_and_moves_no_weights(int field)
    {
        foreach (var header in Headers())
        {
            for (var bit = 0; bit < 7; bit++)
            {
                var damaged = (byte[])_original.Clone();
                damaged[header + field] ^= (byte)(1 << bit);

                RequireSameOrRefused(damaged, $"byte {header + field}, bit {bit}");
            }
        }
    }

    [Fact]
    public void A_damaged_content_is_refused_by_the_name_of_its_entry()
    {
        using var file = TorchFile.Open(Reference.File("openai_clip_tiny.state_dict.fp16.pt"));
        var entry = file.Entries["visual.class_embedding"];
        _original[entry.Offset] ^= 1;
        File.WriteAllBytes(_folder.File("x.pt"), _original);

        using var damaged = TorchFile.Open(_folder.File("x.pt"));

        Should.Throw<UserErrorException>(() => damaged.Read("visual.class_embedding")).Message.ShouldContain("checksum");
        damaged.Read("visual.proj").Equals(file.Read("visual.proj")).ShouldBeTrue();
    }

    // Reading a checksum takes longer than reading the weights, so a large content is only held against it where its place is in doubt.
    [Fact]
    public void A_large_content_that_its_header_moves_is_refused()
    {
        StridedArchive.WriteZip(
            _folder.File("x.pt"),
            [.. Enumerable.Range(0, 1 << 20).Select(place => (float)place)],
            new StridedArchive.View("a", 0, [1 << 20], [1])
        );
        var bytes = File.ReadAllBytes(_folder.File("x.pt"));
        var header = bytes.AsSpan().LastIndexOf("archive/data/0"u8);
        header = bytes.AsSpan(0, header).LastIndexOf("archive/data/0"u8);
        bytes[header - 2] ^= 4;
        File.WriteAllBytes(_folder.File("x.pt"), bytes);

        using var moved = TorchFile.Open(_folder.File("x.pt"));

        Should.Throw<UserErrorException>(() => moved.Read("a")).Message.ShouldContain("'archive/data/0'");
    }

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    private IEnumerable<int> Headers() =>
        Enumerable
            .Range(0, _original.Length - 4)
            .Where(at => BinaryPrimitives.ReadInt32LittleEndian(_original.AsSpan(at)) == LocalHeader)
            .Take(40);

    private void RequireSameOrRefused(byte[] damaged, string what)
    {
        File.WriteAllBytes(_folder.File("x.pt"), damaged);
        using var expected = TorchFile.Open(Reference.File("openai_clip_tiny.state_dict.fp16.pt"));
        try
        {
            using var file = TorchFile.Open(_folder.File("x.pt"));
            foreach (var key in expected.Entries.Keys)
            {
                using var scope = torch.NewDisposeScope();
                file.Read(key).Equals(expected.Read(key)).ShouldBeTrue($"{what}: {key}");
            }
        }
        catch (UserErrorException refusal)
        {
            refusal.Message.ShouldContain("x.pt");
        }
    }
}
