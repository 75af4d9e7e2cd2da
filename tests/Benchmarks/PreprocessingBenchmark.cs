using System.Diagnostics;
using System.Globalization;
using ClipSae.Clip.Preprocessing;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using ClipSae.Imaging.Resizing;

namespace ClipSae.Benchmarks;

/// <summary>
/// Exact decoding and preprocessing of photographs on one and two threads beside Pillow's decode and bicubic resize on one.
/// </summary>
internal sealed class PreprocessingBenchmark : IBenchmark
{
    private const int Resolution = 224;
    private const int Rounds = 5;

    /// <summary>
    /// What Pillow does for the same pictures: decode and bicubic resize of the short side, without crop and normalisation.
    /// </summary>
    private const string PillowScript = """
        import io, sys, time, glob
        from PIL import Image
        data = [open(f, 'rb').read() for f in sorted(glob.glob(sys.argv[1] + '/*'))]
        best = 0
        for turn in range(3):
            start = time.perf_counter()
            for d in data:
                im = Image.open(io.BytesIO(d)).convert('RGB')
                w, h = im.size
                im.resize((224, int(224 * h / w)) if w < h else (int(224 * w / h), 224), Image.BICUBIC)
            best = max(best, len(data) / (time.perf_counter() - start))
        print(best)
        """;

    public string Verb => "preprocessing";

    public string Summary =>
        "FOLDER: exact decode and preprocessing of the photographs in it, on one and two threads, beside Pillow on one";

    public void Run(IReadOnlyList<string> options, TextWriter output)
    {
        if (options.Count == 0 || !Directory.Exists(options[0]))
        {
            output.WriteLine("preprocessing: name a folder of JPEG photographs to measure with.");
            return;
        }

        var photographs = Directory.GetFiles(options[0]).Order(StringComparer.Ordinal).Select(File.ReadAllBytes).ToArray();
        var one = Enumerable.Range(0, Rounds).Max(_ => Rate(photographs, threads: 1));
        var two = Enumerable.Range(0, Rounds).Max(_ => Rate(photographs, threads: 2));
        var pillow = Pillow(options[0]);
        var table = new MarkdownTable("decode and preprocess", "images/s", "ms/image and thread", "to Pillow");
        if (pillow is { } rate)
        {
            table.Add("Pillow, decode and resize only, 1 thread", Text(rate, 0), Text(1000 / rate, 2), "1.00");
        }

        table.Add("ClipSae, 1 thread", Text(one, 0), Text(1000 / one, 2), Ratio(one, pillow));
        table.Add("ClipSae, 2 threads", Text(two, 0), Text(2000 / two, 2), Ratio(two, pillow));
        table.Print(output);
        if (pillow is null)
        {
            output.WriteLine("Pillow was not found (python3 with PIL), so there is nothing to compare with.");
        }
    }

    /// <summary>Photographs a second; each thread has its decoder and its result.</summary>
    private static double Rate(byte[][] photographs, int threads)
    {
        var next = -1;
        var seconds = Measure.Seconds(() =>
        {
            var workers = Enumerable.Range(0, threads).Select(_ => new Thread(() => Work(photographs, ref next))).ToList();
            workers.ForEach(worker => worker.Start());
            workers.ForEach(worker => worker.Join());
        });
        return photographs.Length / seconds;
    }

    private static void Work(byte[][] photographs, ref int next)
    {
        var decoder = new RegionDecoder();
        var pixels = new float[3 * Resolution * Resolution];
        for (var index = Interlocked.Increment(ref next); index < photographs.Length; index = Interlocked.Increment(ref next))
        {
            if (!decoder.TryDecode(photographs[index], Needed, out var decoded, out var problem))
            {
                throw new InvalidOperationException($"Photograph {index}: {problem}");
            }

            Preprocessor.Preprocess(decoded, ImagePreparation.OpenAi(Resolution), pixels);
        }

        static ImageRegion Needed(int width, int height) => ImageResize.Needed(width, height, ImagePreparation.OpenAi(Resolution).Target);
    }

    private static double? Pillow(string folder)
    {
        foreach (var python in new[] { "python3", "/usr/bin/python3" })
        {
            try
            {
                using var process = Process.Start(
                    new ProcessStartInfo(python, ["-c", PillowScript, folder])
                    {
                        RedirectStandardOutput = true,
                        RedirectStandardError = true,
                    }
                );
                var said = process!.StandardOutput.ReadToEnd();
                process.WaitForExit();
                if (process.ExitCode == 0 && double.TryParse(said, NumberStyles.Float, CultureInfo.InvariantCulture, out var rate))
                {
                    return rate;
                }
            }
            catch (System.ComponentModel.Win32Exception)
            {
                // No such program: try the next name.
            }
        }

        return null;
    }

    private static string Ratio(double rate, double? pillow) => pillow is { } other ? Text(rate / other, 2) : "–";

    private static string Text(double value, int digits) => value.ToString("F" + digits, CultureInfo.InvariantCulture);
}
