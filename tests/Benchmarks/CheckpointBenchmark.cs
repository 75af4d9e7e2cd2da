using System.Diagnostics;
using System.Globalization;
using ClipSae.Clip;
using ClipSae.Tensors;
using ClipSae.WeightConversion;
using TorchSharp;

namespace ClipSae.Benchmarks;

/// <summary>
/// Loading a checkpoint of ViT-L/14's sizes with random weights against plain parallel readings of the same file in the same state (from the disk,
/// and from the page cache), and converting it against a plain reading and a plain writing of as many bytes. Pieces of work take turns; ratios are
/// medians over the rounds. Then the most memory that the whole command took.
/// </summary>
internal sealed class CheckpointBenchmark : IBenchmark
{
    private const double Mebibyte = 1 << 20;
    private static readonly ClipArchitecture Tiny = new(64, 32, 3, 128, 8, 77, 514, 64, 2);

    public string Verb => "checkpoint";

    public string Summary => "loading and converting 1.7 GB against plain reads and writes, and the memory of it [vit-l-14|tiny] [rounds 3] [threads 2]";

    public void Run(IReadOnlyList<string> options, TextWriter output)
    {
        int Option(int index, int otherwise) => options.Count > index ? int.Parse(options[index], CultureInfo.InvariantCulture) : otherwise;
        var architecture = options.Count > 0 && options[0] == "tiny" ? Tiny : ClipArchitecture.VitL14;
        var (rounds, threads) = (Option(1, 3), Option(2, 2));
        Compute.UseThreads(threads);
        var folder = Directory.CreateTempSubdirectory("checkpoint-benchmark").FullName;
        try
        {
            var path = Path.Combine(folder, "model.safetensors");
            using (var model = ClipModel.Initialize(architecture, 1))
            {
                model.Save(path);
            }

            NativeHeap.Trim();
            output.WriteLine(FormattableString.Invariant($"{new FileInfo(path).Length / Mebibyte:F0} MiB, float32; {threads} threads, median of {rounds} rounds"));
            Load(path, rounds, threads, output);
            Convert(path, architecture, folder, rounds, threads, output);
            Peak(path, architecture, folder, threads, output);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Load(string path, int rounds, int threads, TextWriter output)
    {
        using var plain = new PlainTransfer(threads);
        // What a reading costs depends on where it goes: one small buffer stays in the processor's cache, fresh memory has to be given by the system first.
        var table = new MarkdownTable("loading", "MiB/s", "plain read, kept: MiB/s", "%", "into fresh memory: MiB/s", "%", "into one 4 MiB buffer: MiB/s", "%");
        foreach (var cold in new[] { true, false })
        {
            void Prepare()
            {
                // Memory of the round before must not be there again without a fault of its pages.
                NativeHeap.Trim();
                if (cold)
                {
                    PageCache.Drop(path);
                }
            }

            foreach (var (name, load) in new (string, Action)[] { ("every tensor", () => ReadAll(path)), ("a model", () => ClipModel.Load(path).Dispose()) })
            {
                var seconds = Measure.Interleaved(rounds, Prepare, () => plain.ReadAndKeep(path), Prepare, () => plain.ReadIntoFresh(path), Prepare, () => plain.Read(path), Prepare, load);
                var (kept, fresh, small, own) = (seconds[1], seconds[3], seconds[5], seconds[7]);
                table.Add($"{name}, from the {(cold ? "disk" : "page cache")}", Rate(path, own), Rate(path, kept), Share(kept, own), Rate(path, fresh), Share(fresh, own), Rate(path, small), Share(small, own));
            }
        }

        table.Print(output);
    }

    private static void Convert(string path, ClipArchitecture architecture, string folder, int rounds, int threads, TextWriter output)
    {
        using var plain = new PlainTransfer(threads);
        var source = new ConversionSource(path, "model");
        var table = new MarkdownTable("conversion", "s", "plain read + plain write s", "%");
        foreach (var target in new ConversionTarget[] { new OpenAiTarget(), new OpenAiTorchTarget(), new OpenClipTarget(), new GeometricTarget() })
        {
            var written = Directory.CreateDirectory(Path.Combine(folder, target.Name)).FullName;
            void Run() => WeightConverter.Convert(source, written, [target], ConversionDtype.Float32);
            Run();
            var bytes = Directory.EnumerateFiles(written, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);
            var seconds = Measure.Interleaved(rounds, () => plain.Read(path), () => plain.Write(Path.Combine(folder, "plain"), bytes), Run);
            var moved = seconds[0].Zip(seconds[1], (read, write) => read + write).ToArray();
            table.Add(target.Name, Text(Measure.Median(seconds[2])), Text(Measure.Median(moved)), Share(moved, seconds[2]));
            Directory.Delete(written, recursive: true);
        }

        table.Print(output);
    }

    // Everything that the command does: writing, loading again, both forward passes, digests.
    private static void Peak(string path, ClipArchitecture architecture, string folder, int threads, TextWriter output)
    {
        var vocabulary = Path.Combine(AppContext.BaseDirectory, "Reference", "bpe_simple_vocab_16e6.txt.gz");
        string[] formats = architecture == Tiny ? ["openai", "openai-pt", "open-clip", "text-encoder", "gmp"] : ["openai", "openai-pt", "huggingface", "open-clip", "text-encoder", "gmp"];
        string[] arguments =
        [
            "convert", path, Path.Combine(folder, "converted"), "--to", .. formats, "--json", "--threads", threads.ToString(CultureInfo.InvariantCulture),
            .. architecture == Tiny ? Array.Empty<string>() : ["--tokenizer", vocabulary],
        ];
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "clipsae"), arguments) { RedirectStandardOutput = true };
        var watch = Stopwatch.GetTimestamp();
        using var process = Process.Start(start)!;
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"clipsae {string.Join(' ', arguments)} ended with code {process.ExitCode}");
        }

        output.WriteLine(FormattableString.Invariant(
            $"clipsae convert --to {string.Join(' ', formats)}: {Stopwatch.GetElapsedTime(watch).TotalSeconds:F1} s with proofs and digests, at most {EndedChildren.PeakResidentBytes / Mebibyte:F0} MiB resident"));
        output.WriteLine();
    }

    private static void ReadAll(string path)
    {
        using var scope = torch.NewDisposeScope();
        using var file = SafetensorsFile.Open(path);
        foreach (var key in file.Entries.Keys)
        {
            file.Read(key);
        }
    }

    private static string Rate(string path, double[] seconds) => (new FileInfo(path).Length / Measure.Median(seconds) / Mebibyte).ToString("F0", CultureInfo.InvariantCulture);

    private static string Share(double[] physical, double[] own) => (100 * Measure.Median(physical.Zip(own, (limit, taken) => limit / taken))).ToString("F0", CultureInfo.InvariantCulture);

    private static string Text(double value) => value.ToString("F2", CultureInfo.InvariantCulture);
}
