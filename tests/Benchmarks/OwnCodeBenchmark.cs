using System.Globalization;
using System.Security.Cryptography;
using ClipSae.Datasets;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Jpeg;
using ClipSae.Imaging.Pixels;
using ClipSae.Imaging.Resizing;
using ClipSae.ObjectStorage;
using ClipSae.ZeroShotEvaluation.Models;
using ClipSae.ZeroShotEvaluation.Settings;
using SkiaSharp;
using TorchSharp;

namespace ClipSae.Benchmarks;

/// <summary>
/// Code of our own beside the kept library that could do the same: what it gains, and where its results are others. Times are of the
/// processor, one thread, taken in turns, so that a busy machine falls on both.
/// </summary>
internal sealed class OwnCodeBenchmark : IBenchmark
{
    private const int Rounds = 5;
    private const int Resolution = 224;
    private const int Seed = 11;

    public string Verb => "own-code";

    public string Summary =>
        "FOLDER [FILES]: decoders, MD5 and L-BFGS of our own beside SkiaSharp's, .NET's and TorchSharp's, "
        + "over the pictures in it and FILES damaged copies of them (default 10000)";

    public void Run(IReadOnlyList<string> options, TextWriter output)
    {
        if (options.Count == 0 || !Directory.Exists(options[0]))
        {
            output.WriteLine("own-code: name a folder of JPEG, PNG and GIF pictures to measure with.");
            return;
        }

        var files = Directory.GetFiles(options[0], "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToArray();
        var damaged = options.Count > 1 ? int.Parse(options[1], CultureInfo.InvariantCulture) : 10_000;
        Jpeg([.. files.Where(file => Path.GetExtension(file) is ".jpg" or ".jpeg").Select(File.ReadAllBytes)], damaged, output);
        PngAndGif([.. files.Where(file => Path.GetExtension(file) is ".png" or ".gif")], output);
        Md5(output);
        Minimization(output);
    }

    private static void Jpeg(byte[][] pictures, int damaged, TextWriter output)
    {
        var decoder = new RegionDecoder();
        byte[][] own = [.. pictures.Where(picture => ByOwn(decoder, picture))];
        var (whole, part, library) = (double.PositiveInfinity, double.PositiveInfinity, double.PositiveInfinity);
        for (var round = 0; round < Rounds; round++)
        {
            whole = Math.Min(whole, Seconds(() => Array.ForEach(own, picture => Decode(decoder, picture, Whole))));
            part = Math.Min(part, Seconds(() => Array.ForEach(own, picture => Decode(decoder, picture, Needed))));
            library = Math.Min(library, Seconds(() => Array.ForEach(own, picture => BySkia(picture))));
        }

        var table = new MarkdownTable("JPEG", "pictures", "ms each", "to SkiaSharp");
        table.Add("SkiaSharp, whole", Text(own.Length), Text(1000 * library / own.Length), "1.00");
        table.Add("own, whole", Text(own.Length), Text(1000 * whole / own.Length), Text(library / whole));
        table.Add("own, what a model of 224 pixels needs", Text(own.Length), Text(1000 * part / own.Length), Text(library / part));
        table.Print(output);

        var random = new SeededRandom(Seed, "damage", 0);
        var sound = pictures.CountBy(picture => Compare(decoder, picture)).ToDictionary();
        var broken = Enumerable
            .Range(0, damaged)
            .Select(_ => Damage(pictures[random.Next(pictures.Length)], random))
            .CountBy(picture => Compare(decoder, picture))
            .ToDictionary();
        table = new MarkdownTable("JPEG files", "whole", "damaged");
        foreach (var kind in sound.Keys.Union(broken.Keys).Order(StringComparer.Ordinal))
        {
            table.Add(kind, Text(sound.GetValueOrDefault(kind)), Text(broken.GetValueOrDefault(kind)));
        }

        table.Print(output);
    }

    /// <summary>One to three bytes changed, the end cut off, or a stretch left out.</summary>
    private static byte[] Damage(byte[] picture, SeededRandom random)
    {
        var copy = (byte[])picture.Clone();
        switch (random.Next(4))
        {
            case 0:
                return copy[..(2 + random.Next(copy.Length - 2))];
            case 1:
                var from = 2 + random.Next(copy.Length - 2);
                return [.. copy[..from], .. copy[Math.Min(copy.Length, from + 1 + random.Next(64))..]];
            default:
                for (var change = random.Next(3); change >= 0; change--)
                {
                    copy[2 + random.Next(copy.Length - 2)] = (byte)random.Next(256);
                }

                return copy;
        }
    }

    private static string Compare(RegionDecoder decoder, byte[] picture)
    {
        if (!ByOwn(decoder, picture))
        {
            return "left to SkiaSharp";
        }

        decoder.TryDecode(picture, Whole, out var region, out _);
        if (region.Mode == PixelMode.Cmyk)
        {
            return "CMYK, which SkiaSharp does not give as inks";
        }

        return BySkia(picture) is not { } pixels ? "own decodes, SkiaSharp does not"
            : Same(region.Pixels, pixels, region.Mode == PixelMode.Rgb ? 3 : 1) ? "equal"
            : "other pixels";
    }

    private static bool Same(ReadOnlySpan<byte> own, byte[] rgba, int channels)
    {
        for (var pixel = 0; pixel < rgba.Length / 4; pixel++)
        {
            for (var channel = 0; channel < 3; channel++)
            {
                if (own[(pixel * channels) + (channels == 3 ? channel : 0)] != rgba[(4 * pixel) + channel])
                {
                    return false;
                }
            }
        }

        return true;
    }

    private static void PngAndGif(string[] files, TextWriter output)
    {
        byte[][] all = [.. files.Select(File.ReadAllBytes)];
        byte[][] own =
        [
            .. all.Where(picture =>
                ImageDecoder.TryRead(picture, null, out _, out _)
                && BySkia(picture) is not null
                && Kept(picture) is not (PixelMode.Rgb or PixelMode.Rgba)
            ),
        ];
        var other = all.Count(picture =>
            ImageDecoder.TryDecode(picture, null, out var image, out _)
            && (BySkia(picture) is not { } pixels || !Same(image.Rgb, pixels, 3))
        );
        var (mine, library) = (double.PositiveInfinity, double.PositiveInfinity);
        for (var round = 0; round < Rounds; round++)
        {
            mine = Math.Min(mine, Seconds(() => Array.ForEach(own, picture => ImageDecoder.Read(picture))));
            library = Math.Min(library, Seconds(() => Array.ForEach(own, picture => BySkia(picture))));
        }

        var table = new MarkdownTable("PNG and GIF", "files");
        table.Add("pictures", Text(all.Length));
        table.Add("whose own mode (palette, grey, 1 or 16 bits) SkiaSharp does not tell", Text(own.Length));
        table.Add("whose RGB pixels are others by SkiaSharp", Text(other));
        table.Add("processor time of SkiaSharp to ours, those of the second row", Text(library / mine));
        table.Print(output);
    }

    private static void Md5(TextWriter output)
    {
        const int Length = 16 << 20;
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(file, RandomNumberGenerator.GetBytes(Length * Md5Lanes.Count));
            using var handle = File.OpenHandle(file);
            long[] starts = [.. Enumerable.Range(0, Md5Lanes.Count).Select(section => (long)section * Length)];
            var (lanes, library) = (double.PositiveInfinity, double.PositiveInfinity);
            for (var round = 0; round < Rounds; round++)
            {
                lanes = Math.Min(lanes, Seconds(() => Md5Lanes.OfSections(handle, starts, Length)));
                library = Math.Min(
                    library,
                    Seconds(() =>
                    {
                        var buffer = new byte[Length];
                        foreach (var start in starts)
                        {
                            RandomAccess.Read(handle, buffer, start);
                            MD5.HashData(buffer);
                        }
                    })
                );
            }

            var bytes = (double)Length * Md5Lanes.Count / (1 << 20);
            var table = new MarkdownTable("MD5 of 16 parts of 16 MiB", "MiB/s of one thread");
            table.Add(".NET's, one after another", Text(bytes / library));
            table.Add("lanes", Text(bytes / lanes));
            table.Print(output);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static void Minimization(TextWriter output)
    {
        const int Rows = 1000,
            Width = 512,
            Classes = 10;
        torch.set_num_threads(1);
        torch.manual_seed(Seed);
        using var centres = torch.randn(Classes, Width, dtype: torch.float64);
        int[] classOf = [.. Enumerable.Range(0, Rows).Select(row => row % Classes)];
        using var rows = torch.nn.functional.normalize(
            centres[torch.tensor([.. classOf.Select(chosen => (long)chosen)])].add(torch.randn(Rows, Width, dtype: torch.float64).mul_(3)),
            dim: 1
        );
        var objective = new LogisticObjective(rows, classOf, Classes, new ProbeOptions().InverseRegularization);
        var table = new MarkdownTable(
            "L-BFGS on a probe of 1,000 × 512, 10 classes",
            "evaluations",
            "value at the end",
            "largest gradient",
            "processor s"
        );

        var evaluations = 0;
        double Evaluate(double[] point, double[] gradient)
        {
            evaluations++;
            return objective.Evaluate(point, gradient);
        }

        void Add(string name, double seconds, double[] point)
        {
            var (taken, gradient) = (evaluations, new double[point.Length]);
            table.Add(
                name,
                Text(taken),
                objective.Evaluate(point, gradient).ToString("F6", CultureInfo.InvariantCulture),
                gradient.Max(Math.Abs).ToString("E1", CultureInfo.InvariantCulture),
                Text(seconds)
            );
        }

        double[] found = [];
        var seconds = Seconds(() => found = Lbfgs.Minimize(Evaluate, new double[objective.Parameters], 1000).Point);
        Add("own", seconds, found);

        evaluations = 0;
        using var parameter = torch.nn.Parameter(torch.zeros(objective.Parameters, dtype: torch.float64));
        using var optimizer = torch.optim.LBFGS(
            [parameter],
            lr: 1,
            max_iter: 1000,
            max_eval: 1250,
            tolerange_grad: 1e-6,
            tolerance_change: 0,
            history_size: 10
        );
        seconds = Seconds(() =>
            optimizer.step(() =>
            {
                var gradient = new double[objective.Parameters];
                var value = Evaluate([.. parameter.data<double>()], gradient);
                parameter.grad = torch.tensor(gradient);
                return torch.tensor(value);
            })
        );
        Add("TorchSharp, without a line search (it has none)", seconds, [.. parameter.data<double>()]);
        table.Print(output);
    }

    private static PixelMode? Kept(byte[] picture) => ImageDecoder.TryRead(picture, null, out var read, out _) ? read.Mode : null;

    private static bool ByOwn(RegionDecoder decoder, byte[] picture) =>
        JpegDecoder.IsSupported
        && JpegFrame.Parse(picture) is { } frame
        && DecodeLimits.Default.Allows(frame.Width, frame.Height, picture.Length)
        && new JpegDecoder().TryDecode(
            picture,
            frame,
            new ImageRegion(0, 0, frame.Width, frame.Height),
            new byte[frame.Width * frame.Height * DecodedImage.BytesOf(frame.Mode)]
        )
        && decoder.TryDecode(picture, Whole, out _, out _);

    private static void Decode(RegionDecoder decoder, byte[] picture, Func<int, int, ImageRegion> needed)
    {
        if (!decoder.TryDecode(picture, needed, out _, out var problem))
        {
            throw new InvalidOperationException(problem);
        }
    }

    /// <returns>RGBA, or null where it does not decode.</returns>
    private static byte[]? BySkia(byte[] picture)
    {
        using var data = SKData.CreateCopy(picture);
        using var codec = SKCodec.Create(data);
        if (codec is null)
        {
            return null;
        }

        var pixels = new byte[codec.Info.Width * codec.Info.Height * 4];
        unsafe
        {
            fixed (byte* first = pixels)
            {
                return
                    codec.GetPixels(
                        new SKImageInfo(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul),
                        (nint)first
                    ) == SKCodecResult.Success
                    ? pixels
                    : null;
            }
        }
    }

    private static ImageRegion Whole(int width, int height) => new(0, 0, width, height);

    private static ImageRegion Needed(int width, int height) =>
        ImageResize.Needed(width, height, Clip.Preprocessing.ImagePreparation.OpenAi(Resolution).Target);

    private static double Seconds(Action work)
    {
        var before = Environment.CpuUsage.TotalTime;
        work();
        return (Environment.CpuUsage.TotalTime - before).TotalSeconds;
    }

    private static string Text(int count) => count.ToString("N0", CultureInfo.InvariantCulture);

    private static string Text(double value) => value.ToString("F2", CultureInfo.InvariantCulture);
}
