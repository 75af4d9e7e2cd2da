using System.Globalization;
using ClipSae.Clip.Model;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.Benchmarks;

/// <summary>
/// Loading a checkpoint of ViT-L/14's sizes with random weights against plain parallel readings of the same file in the same state, from
/// the disk and from the page cache. Pieces of work take turns; ratios are medians over the rounds. Before each, as much memory is used and
/// freed: what a virtual machine has not used lately has to come from its host, many times slower than anything measured here.
/// </summary>
internal sealed class CheckpointLoadBenchmark : IBenchmark
{
    public string Verb => "checkpoint-load";

    public string Summary => "loading a safetensors file of 1.7 GB against plain reads of it [vit-l-14|tiny] [rounds 5] [threads 2]";

    public void Run(IReadOnlyList<string> options, TextWriter output)
    {
        using var checkpoint = new CheckpointFile(options);
        using var plain = new PlainTransfer(checkpoint.Threads);
        // What a reading costs depends on where it goes: fresh memory has to be given and cleared by the system first, one small buffer
        // stays in the processor's cache.
        var table = new MarkdownTable(
            "loading",
            "MiB/s",
            "plain read, memory there already: MiB/s",
            "%",
            "fresh memory: MiB/s",
            "%",
            "one 4 MiB buffer: MiB/s",
            "%"
        );
        var path = checkpoint.Path;
        foreach (var cold in new[] { true, false })
        {
            void Prepare()
            {
                // Memory of the round before must not be there again without a fault of its pages; but free memory must not have gone back
                // from a virtual machine to its host either, as it does within seconds.
                NativeHeap.Trim();
                PlainTransfer.Touch(new FileInfo(path).Length);
                if (cold)
                {
                    PageCache.Drop(path);
                }
            }

            foreach (
                var (name, load) in new (string, Action)[]
                {
                    ("every tensor", () => ReadAll(path)),
                    ("a model", () => ClipModel.Load(path).Dispose()),
                }
            )
            {
                var seconds = Measure.Interleaved(
                    checkpoint.Rounds,
                    Prepare,
                    () => plain.ReadAndKeep(path),
                    Prepare,
                    () => plain.ReadIntoFresh(path),
                    Prepare,
                    () => plain.Read(path),
                    Prepare,
                    load
                );
                string Rate(int work) =>
                    (checkpoint.Mebibytes / Measure.Median(seconds[work])).ToString("F0", CultureInfo.InvariantCulture);
                string Share(int work) =>
                    (100 * Measure.Median(seconds[work].Zip(seconds[7], (limit, taken) => limit / taken))).ToString(
                        "F0",
                        CultureInfo.InvariantCulture
                    );
                table.Add(
                    $"{name}, from the {(cold ? "disk" : "page cache")}",
                    Rate(7),
                    Rate(1),
                    Share(1),
                    Rate(3),
                    Share(3),
                    Rate(5),
                    Share(5)
                );
            }
        }

        output.WriteLine(checkpoint);
        table.Print(output);
    }

    private static void ReadAll(string path)
    {
        using var scope = torch.NewDisposeScope();
        using var file = SafetensorsFile.Open(path);
        file.ReadAll([.. file.Entries.Keys], new NonFiniteValues());
    }
}
