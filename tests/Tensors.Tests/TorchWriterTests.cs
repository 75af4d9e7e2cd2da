using System.IO.Compression;
using ClipSae.Tensors.Torch;
using ClipSae.TestKit.Files;
using TorchSharp;

namespace ClipSae.Tensors.Tests;

public sealed class TorchWriterTests : IDisposable
{
    private readonly DisposeScope _scope = torch.NewDisposeScope();
    private readonly TemporaryFolder _folder = new();

    // data.pkl of torch.save(model.state_dict()), taken out of its archive; it goes on with _metadata, which no loader needs.
    [Fact]
    public void The_pickle_is_the_one_that_PyTorch_writes()
    {
        var theirs = File.ReadAllBytes(Reference.File("openai_clip_tiny.state_dict.data.pkl"));
        Rewrite(Reference.File("openai_clip_tiny.state_dict.legacy.pt"), _folder.File("mine.pt"));

        var mine = Entry(_folder.File("mine.pt"), "data.pkl");

        mine[^1].ShouldBe((byte)'.');
        mine.Length.ShouldBeGreaterThan(8000);
        theirs[..(mine.Length - 1)].ShouldBe(mine[..^1]);
    }

    [Fact]
    public void Storages_lie_at_multiples_of_64_bytes_and_are_those_of_PyTorch()
    {
        var reference = Reference.File("openai_clip_tiny.state_dict.fp16.pt");
        Rewrite(reference, _folder.File("mine.pt"));
        using var file = TorchFile.Open(_folder.File("mine.pt"));

        file.Entries.Values.ShouldAllBe(entry => entry.Offset % 64 == 0);
        foreach (var place in new[] { 0, 7, 73 })
        {
            Entry(_folder.File("mine.pt"), $"data/{place}").ShouldBe(Entry(reference, $"data/{place}"));
        }
    }

    [Fact]
    public void Equal_tensors_give_equal_bytes()
    {
        var reference = Reference.File("openai_clip_tiny.state_dict.legacy.pt");
        Rewrite(reference, _folder.File("a.pt"));
        Rewrite(reference, _folder.File("b.pt"));

        File.ReadAllBytes(_folder.File("a.pt")).ShouldBe(File.ReadAllBytes(_folder.File("b.pt")));
    }

    [Fact]
    public void Scalars_empty_tensors_and_every_type_survive()
    {
        var tensors = new Dictionary<string, torch.Tensor>
        {
            ["scalar"] = torch.tensor(2.5f),
            ["empty"] = torch.zeros(0, 4),
            ["five axes"] = torch.arange(70_000, dtype: torch.int64).view(1, 7, 10, 10, 100),
            ["half"] = torch.ones(3, dtype: torch.float16),
            ["brain"] = torch.ones(3, dtype: torch.bfloat16),
            ["byte"] = torch.ones(3, dtype: torch.uint8),
            ["ü"] = torch.ones(2, dtype: torch.@bool),
        };
        TorchWriter.WriteStreaming(
            _folder.File("x.pt"),
            [.. tensors.Select(t => new TensorLayout(t.Key, t.Value.dtype, t.Value.shape))],
            name => tensors[name].clone()
        );

        using var file = TorchFile.Open(_folder.File("x.pt"));

        file.Entries.Keys.ShouldBe(tensors.Keys);
        foreach (var (name, tensor) in tensors)
        {
            var read = file.Read(name);
            read.dtype.ShouldBe(tensor.dtype, name);
            read.shape.ShouldBe(tensor.shape, name);
            (tensor.NumberOfElements == 0 || read.Equals(tensor)).ShouldBeTrue(name);
        }
    }

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    private static void Rewrite(string source, string target)
    {
        using var file = TorchFile.Open(source);
        TorchWriter.WriteStreaming(
            target,
            [.. file.Entries.Values.Select(entry => new TensorLayout(entry.Name, entry.ScalarType!.Value, entry.Shape))],
            file.Read
        );
    }

    private static byte[] Entry(string path, string name)
    {
        using var archive = ZipFile.OpenRead(path);
        using var stream = archive.Entries.Single(entry => entry.FullName.EndsWith("/" + name, StringComparison.Ordinal)).Open();
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }
}
