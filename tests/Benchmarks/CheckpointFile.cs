using System.Globalization;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.Tensors;

namespace ClipSae.Benchmarks;

/// <summary>A checkpoint with random weights in a folder of its own, and the options that say of what sizes.</summary>
internal sealed class CheckpointFile : IDisposable
{
    private static readonly ClipArchitecture Tiny = new(64, 32, 3, 128, 8, 77, 514, 64, 2);

    /// <param name="options"><c>vit-l-14</c> or <c>tiny</c>, rounds, threads.</param>
    public CheckpointFile(IReadOnlyList<string> options)
    {
        int Option(int index, int otherwise) => options.Count > index ? int.Parse(options[index], CultureInfo.InvariantCulture) : otherwise;
        (IsTiny, Rounds, Threads) = (options.Count > 0 && options[0] == "tiny", Option(1, 5), Option(2, 2));
        Compute.UseThreads(Threads);
        using (var model = ClipModel.Initialize(IsTiny ? Tiny : ClipArchitecture.VitL14, 1))
        {
            model.Save(Path);
        }

        NativeHeap.Trim();
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("checkpoint-benchmark").FullName;

    public string Path => System.IO.Path.Combine(Folder, "model.safetensors");

    public bool IsTiny { get; }

    public int Rounds { get; }

    public int Threads { get; }

    public double Mebibytes => new FileInfo(Path).Length / (double)(1 << 20);

    public override string ToString() =>
        FormattableString.Invariant($"{Mebibytes:F0} MiB, float32; {Threads} threads, median of {Rounds} rounds");

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
