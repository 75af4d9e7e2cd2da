using System.Diagnostics;
using System.Globalization;
using ClipSae.Tensors;
using ClipSae.WeightConversion;
using ClipSae.WeightConversion.Targets;
using ClipSae.WeightConversion.Weights;

namespace ClipSae.Benchmarks;

/// <summary>
/// Converting a checkpoint of ViT-L/14's sizes against a plain reading of the source and a plain writing of as many bytes as were written,
/// both to the disk; pieces of work take turns, ratios are medians over the rounds. Then the most memory that the whole command took.
/// </summary>
internal sealed class ConversionBenchmark : IBenchmark
{
    private const double Mebibyte = 1 << 20;

    public string Verb => "conversion";

    public string Summary =>
        "converting 1.7 GB against plain reads and writes, and the memory of it [vit-l-14|tiny] [rounds 5] [threads 2]";

    public void Run(IReadOnlyList<string> options, TextWriter output)
    {
        using var checkpoint = new CheckpointFile(options);
        output.WriteLine(checkpoint);
        Write(checkpoint, output);
        Whole(checkpoint, output);
    }

    private static void Write(CheckpointFile checkpoint, TextWriter output)
    {
        using var plain = new PlainTransfer(checkpoint.Threads);
        var source = new ConversionSource(checkpoint.Path, "model");
        var table = new MarkdownTable("conversion", "s", "plain read s", "plain write s", "(read + write) / conversion %");
        foreach (
            var target in new ConversionTarget[]
            {
                new OpenAiTarget(),
                new OpenAiTorchTarget(),
                new OpenClipTarget(),
                new GeometricTarget(),
            }
        )
        {
            var written = Directory.CreateDirectory(Path.Combine(checkpoint.Folder, target.Name)).FullName;
            void Run() => WeightConverter.Convert(source, written, [target], Precision.Float32);
            Run();
            var bytes = Directory.EnumerateFiles(written, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);
            // Files are written into memory first: it must be at hand, and not at a virtual machine's host.
            void Prepare() => PlainTransfer.Touch(2 * bytes);
            var seconds = Measure.Interleaved(
                checkpoint.Rounds,
                () => plain.Read(checkpoint.Path),
                Prepare,
                () => plain.Write(Path.Combine(checkpoint.Folder, "plain"), bytes),
                Prepare,
                Run
            );
            var shares = Enumerable
                .Range(0, checkpoint.Rounds)
                .Select(round => (seconds[0][round] + seconds[2][round]) / seconds[4][round]);
            table.Add(
                target.Name,
                Text(Measure.Median(seconds[4])),
                Text(Measure.Median(seconds[0])),
                Text(Measure.Median(seconds[2])),
                (100 * Measure.Median(shares)).ToString("F0", CultureInfo.InvariantCulture)
            );
            Directory.Delete(written, recursive: true);
        }

        table.Print(output);
    }

    // Everything that the command does: writing, loading again, forward passes of both, digests.
    private static void Whole(CheckpointFile checkpoint, TextWriter output)
    {
        var vocabulary = Path.Combine(AppContext.BaseDirectory, "Reference", "bpe_simple_vocab_16e6.txt.gz");
        string[] formats = checkpoint.IsTiny
            ? ["openai", "openai-pt", "open-clip", "text-encoder", "gmp"]
            : ["openai", "openai-pt", "huggingface", "open-clip", "text-encoder", "gmp"];
        string[] arguments =
        [
            "convert",
            checkpoint.Path,
            Path.Combine(checkpoint.Folder, "converted"),
            "--to",
            .. formats,
            "--json",
            "--threads",
            checkpoint.Threads.ToString(CultureInfo.InvariantCulture),
            .. checkpoint.IsTiny ? Array.Empty<string>() : ["--tokenizer", vocabulary],
        ];
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "clipsae"), arguments) { RedirectStandardOutput = true };
        var watch = Stopwatch.GetTimestamp();
        using var process = Process.Start(start)!;
        process.BeginOutputReadLine();
        var peak = PeakUntilExit(process);
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"clipsae {string.Join(' ', arguments)} ended with code {process.ExitCode}");
        }

        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"clipsae convert --to {string.Join(' ', formats)}: {Stopwatch.GetElapsedTime(watch).TotalSeconds:F1} s with "
                    + $"proofs and digests, at most {peak / Mebibyte:F0} MiB resident"
            )
        );
        output.WriteLine();
    }

    // What the kernel tells of ended children has the memory of this process in it, from which they were forked.
    private static long PeakUntilExit(Process process)
    {
        var peak = 0L;
        while (!process.WaitForExit(TimeSpan.FromMilliseconds(20)))
        {
            try
            {
                process.Refresh();
                peak = Math.Max(peak, process.PeakWorkingSet64);
            }
            catch (InvalidOperationException)
            {
                // It has just ended.
            }
        }

        return peak;
    }

    private static string Text(double value) => value.ToString("F2", CultureInfo.InvariantCulture);
}
