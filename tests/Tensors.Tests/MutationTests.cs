using ClipSae.Tensors.Torch;
using ClipSae.TestKit.Files;
using ClipSae.TestKit.Formats;
using TorchSharp;

namespace ClipSae.Tensors.Tests;

/// <summary>
/// What the readers do with damaged and lying files. The structure of each file is mutated; its numbers may be anything anyway.
/// </summary>
public sealed class MutationTests : IDisposable
{
    private const int Mutants = 20_000;
    private const long MaxAllocated = 16 << 20;

    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("openai_clip_tiny.gmp.whole_model_pickle.pt", 20_000, 9_000)]
    [InlineData("openai_clip_tiny.state_dict.fp16.pt", 8_400, 8_000)]
    [InlineData("openai_clip_tiny.state_dict.legacy.pt", 13_400, 0)]
    public void Mutants_of_PyTorch_files_are_read_or_refused_in_one_line(string name, int head, int tail)
    {
        var path = _folder.File(name);
        File.Copy(Reference.File(name), path);
        var length = new FileInfo(path).Length;
        (long, long)[] structure = tail == 0 ? [(0, head)] : [(0, head), (length - tail, tail)];

        Check(
            new MutationFuzz(path, structure).Run(Mutants, seed: 1, MaxAllocated, (file, random) =>
                MutationFuzz.ReadOne(file, TorchFile.Open(file), random)
            )
        );
    }

    [Fact]
    public void Mutants_of_TorchScript_archives_are_read_or_refused_in_one_line()
    {
        var path = _folder.File("script.pt");
        using (torch.NewDisposeScope())
        {
            ScriptArchive.Write(
                path,
                new Dictionary<string, torch.Tensor> { ["positional_embedding"] = torch.ones(3), ["visual.weight"] = torch.ones(2) }
            );
        }

        Check(
            new MutationFuzz(path, (0, new FileInfo(path).Length)).Run(Mutants, seed: 2, MaxAllocated, (file, random) =>
                MutationFuzz.ReadOne(file, TorchFile.Open(file), random)
            )
        );
    }

    [Fact]
    public void Mutants_of_safetensors_are_read_or_refused_in_one_line()
    {
        var path = _folder.File("x.safetensors");
        using (torch.NewDisposeScope())
        {
            SafetensorsWriter.Write(
                path,
                Enumerable.Range(0, 12).Select(i => KeyValuePair.Create($"block.{i}.weight", torch.ones(i, 3, 2))),
                new Dictionary<string, string> { ["format"] = "pt" }
            );
        }

        Check(
            new MutationFuzz(path, (0, 8 + 1100)).Run(Mutants, seed: 3, MaxAllocated, (file, random) =>
                MutationFuzz.ReadOne(file, SafetensorsFile.Open(file), random)
            )
        );
    }

    public void Dispose() => _folder.Dispose();

    // Neither all read nor all refused: the mutations reach what the reader looks at, and not only the first byte.
    private static void Check((int Read, int Refused) counts)
    {
        (counts.Read + counts.Refused).ShouldBe(Mutants);
        counts.Refused.ShouldBeGreaterThan(Mutants / 4);
        counts.Read.ShouldBeGreaterThan(0);
    }
}
