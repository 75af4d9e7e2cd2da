using System.Globalization;
using System.Text.Json.Nodes;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;
using ClipSae.Datasets;
using ClipSae.Datasets.Shards;
using ClipSae.FineTuning.Arms;
using ClipSae.FineTuning.Data;
using ClipSae.FineTuning.Optimization;
using ClipSae.FineTuning.Settings;
using ClipSae.FineTuning.Training;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using ClipSae.Tensors;
using Microsoft.Extensions.Logging.Abstractions;
using static TorchSharp.torch;

namespace ClipSae.Benchmarks;

/// <summary>
/// One step of fine-tuning in Geometric Parametrization, in its parts, against the products alone that forward and backward pass need
/// (six floating-point operations for each weight and row, at the rate of the layer's own product measured in the same turn).
/// </summary>
internal sealed class TuningStepBenchmark : IBenchmark
{
    private const int Attacks = 64;
    private const int TokensOfCaption = 8; // about; each caption of a batch is another

    public string Verb => "tuning-step";

    public string Summary =>
        "a fine-tuning step in parts, against its products alone [demo or vit-b-32] [rounds] [threads], "
        + "or training on --device NAME [plain: without kernels]";

    private sealed record Shape(ClipArchitecture Architecture, FineTuningOptions Options);

    public void Run(IReadOnlyList<string> options, TextWriter output)
    {
        int Option(int index, int otherwise) => options.Count > index ? int.Parse(options[index], CultureInfo.InvariantCulture) : otherwise;
        if (options.Count > 1 && options[0] == "--device")
        {
            OnDevice(options[1], output, withKernels: !options.Contains("plain"));
            return;
        }

        var folder = Directory.CreateTempSubdirectory("tuning-step-benchmark").FullName;
        try
        {
            Compute.UseThreads(Option(2, 2));
            RunIn(folder, options.Count > 0 ? options[0] : "demo", Option(1, 20), output);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Training on a device, as <c>--device</c> does.</summary>
    /// <returns>Each row's name and its images a second.</returns>
    public static IReadOnlyList<(string Work, double Rate)> OnDevice(string device, TextWriter output, bool withKernels = true)
    {
        var folder = Directory.CreateTempSubdirectory("tuning-step-benchmark").FullName;
        try
        {
            var table = new TuningDeviceTable(device, withKernels, Tokenizer(), (architecture, tuning) =>
                Data(folder, new Shape(architecture, tuning))
            );
            table.Print(output);
            return table.Rates;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void RunIn(string folder, string name, int rounds, TextWriter output)
    {
        var tokenizer = Tokenizer();
        var shape = Named(name, tokenizer.VocabularySize);
        using var model = ClipModel.Initialize(shape.Architecture, seed: 1);
        model.ToGeometric();
        using var data = Data(folder, shape);
        using var captions = new CaptionTable(
            [.. data.Clean.Captions, .. data.Attacks.Captions],
            tokenizer,
            shape.Architecture.ContextLength
        );
        var forward = new AttackForward(
            TuningArm.Parse("none"),
            new SalientParts(new HookPoint.Cls(0), "none", [], new Dictionary<int, int[]>()),
            null,
            shape.Options
        );
        var step = new TuningStep(model, data, captions, forward, shape.Options, CPU);
        ParameterGroup[] groups = [.. ParameterGrouping.ByPart(model, shape.Options.LearningRates, shape.Options.Optimizer.WeightDecay)];
        using var optimizer = new Optimizer(shape.Options.Optimizer, groups);
        var a = shape.Architecture;
        var images = (shape.Options.CleanBatch + shape.Options.AttackBatch) * shape.Options.Accumulation;
        var rows = (long)images * a.VisionTokens;
        using var x = randn(rows, a.VisionWidth);
        using var weight = randn(4 * a.VisionWidth, a.VisionWidth);
        var at = 0;
        Tensor? factor = null;
        var seconds = Measure.Interleaved(
            rounds,
            () => LinearLayer.Apply(x, weight).Dispose(),
            () =>
            {
                using var scope = NewDisposeScope();
                step.Backward(at++, withAttacks: true);
            },
            () =>
            {
                using var scope = NewDisposeScope();
                factor?.Dispose();
                factor = Gradients.ClipFactor(Gradients.Norm(optimizer.Gradients), shape.Options.GradientClip).DetachFromDisposeScope();
            },
            () => optimizer.Step(1e-3, factor)
        );
        factor?.Dispose();
        var medians = seconds.Select(Measure.Median).ToArray();
        var rate = 2.0 * rows * weight.NumberOfElements / medians[0];
        var products =
            6
            * (
                Multiplications(a.VisionWidth, a.VisionLayers, images, a.VisionTokens)
                + Multiplications(a.TextWidth, a.TextLayers, images, TokensOfCaption)
            )
            / rate;
        var whole = medians[1] + medians[2] + medians[3];
        var table = new MarkdownTable($"{name}, {images} images", "ms", "of the step %");
        table.Add("whole step", Text(1e3 * whole), "100");
        table.Add("forward and backward", Text(1e3 * medians[1]), Text(100 * medians[1] / whole));
        table.Add("norm", Text(1e3 * medians[2]), Text(100 * medians[2] / whole));
        table.Add("clipping and optimizer", Text(1e3 * medians[3]), Text(100 * medians[3] / whole));
        table.Add("products alone", Text(1e3 * products), Text(100 * products / whole));
        table.Print(output);
        output.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"the layer's own product: {rate / 1e9:F0} GFLOP/s; {images / whole:F1} images/s")
        );
        output.WriteLine();
    }

    private static ClipTokenizer Tokenizer() =>
        ClipTokenizer.FromMerges(
            BpeLearner.Learn(["a photo of a cat", "a photo of a dog", "a drawing of a tree", "a boat 0123456789"], 60)
        );

    // A block has 12·width² weights; of the last, only keys and values meet every token.
    private static double Multiplications(double width, int layers, int sequences, int tokens) =>
        width * width * sequences * ((12.0 * (layers - 1) * tokens) + (2 * tokens) + 10);

    private static Shape Named(string name, int vocabulary) =>
        name switch
        {
            "demo" => new Shape(
                new ClipArchitecture(64, 64, 4, 128, 16, 16, vocabulary, 128, 2),
                new FineTuningOptions
                {
                    CleanBatch = 96,
                    AttackBatch = 32,
                    Accumulation = 1,
                    Optimizer = new OptimizerOptions.AdamW(),
                }
            ),
            "vit-b-32" => new Shape(new ClipArchitecture(512, 224, 12, 768, 32, 77, vocabulary, 512, 12), new FineTuningOptions()),
            _ => throw new ArgumentException($"{name}: demo or vit-b-32", nameof(name)),
        };

    private static TuningData Data(string folder, Shape shape)
    {
        var resolution = shape.Architecture.ImageResolution;
        string Shard(string name, int count)
        {
            var path = Path.Combine(folder, $"{Guid.NewGuid():N}.tar");
            var random = new Random(count);
            DatasetShard.Write(
                path,
                Enumerable
                    .Range(0, count)
                    .Select(i =>
                    {
                        var pixels = new byte[3 * resolution * resolution];
                        random.NextBytes(pixels);
                        return (
                            new DatasetItem($"{name}{i}.png", [$"a photo of a {i}"], "cat", new JsonObject { ["kind"] = name }),
                            PngEncoder.Encode(new RgbImage(resolution, resolution, pixels))
                        );
                    })
            );
            return path;
        }

        var attacks = Shard("attack", Attacks);
        return TuningData.Read(
            [Shard("clean", 4 * shape.Options.CleanBatch)],
            attacks,
            attacks,
            ["cat"],
            new HeldOutPrint([], []),
            Clip.Preprocessing.ImagePreparation.OpenAi(resolution),
            shape.Options,
            NullLogger.Instance,
            default
        );
    }

    private static string Text(double value) => value.ToString("F1", CultureInfo.InvariantCulture);
}
