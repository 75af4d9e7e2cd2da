using System.Diagnostics;
using System.Globalization;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;
using ClipSae.FineTuning.Arms;
using ClipSae.FineTuning.Data;
using ClipSae.FineTuning.Optimization;
using ClipSae.FineTuning.Pretraining;
using ClipSae.FineTuning.Settings;
using ClipSae.FineTuning.Training;
using ClipSae.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace ClipSae.Benchmarks;

/// <summary>Training steps on one device, small models and large ones, in both precisions: time, pictures a second, memory.</summary>
internal sealed class TuningDeviceTable(
    string device,
    bool withKernels,
    ClipTokenizer tokenizer,
    Func<ClipArchitecture, FineTuningOptions, TuningData> read
)
{
    private readonly MarkdownTable _table = new(
        $"training on {device}{(withKernels ? "" : ", without kernels")}",
        "images",
        "step ms",
        "optimizer ms",
        "steps/s",
        "images/s",
        "memory GB"
    );
    private readonly List<(string Work, double Rate)> _rates = [];
    private readonly Device _place = Compute.Device(device);

    /// <summary>Each row's name and its images a second.</summary>
    public IReadOnlyList<(string Work, double Rate)> Rates => _rates;

    /// <summary>Every row on a GPU; on a processor the small models alone.</summary>
    public void Print(TextWriter output)
    {
        if (device == "cpu")
        {
            Compute.UseThreads(1);
        }

        Pretrain();
        var small = new FineTuningOptions
        {
            CleanBatch = 96,
            AttackBatch = 32,
            Accumulation = 1,
            Optimizer = new OptimizerOptions.AdamW(),
        };
        Tune("demo", new ClipArchitecture(64, 64, 4, 128, 16, 16, tokenizer.VocabularySize, 128, 2), device == "cpu" ? 20 : 200, small);
        if (device != "cpu")
        {
            // Memory is never given back to the driver: what takes least comes first.
            var plain = new FineTuningOptions { Accumulation = 1 };
            var narrow = plain with { Compute = Precision.Bfloat16 };
            Tune("ViT-B/32", new ClipArchitecture(512, 224, 12, 768, 32, 77, 49408, 512, 12), 20, plain, narrow);
            Tune("ViT-L/14", ClipArchitecture.VitL14, 8, narrow with { Recompute = true }, narrow, narrow with { Accumulation = 2 }, plain);
        }

        _table.Print(output);
    }

    private void Tune(string name, ClipArchitecture architecture, int rounds, params FineTuningOptions[] variants)
    {
        using var data = read(architecture, variants[0]);
        using var captions = new CaptionTable([.. data.Clean.Captions, .. data.Attacks.Captions], tokenizer, architecture.ContextLength);
        using var drawn = ClipModel.Initialize(architecture, seed: 1);
        foreach (var options in variants)
        {
            using var model = ClipModel.FromStateDict(drawn.StateDict());
            model.to(_place);
            model.ToGeometric();
            ParameterGroup[] groups = [.. ParameterGrouping.ByPart(model, options.LearningRates, options.Optimizer.WeightDecay)];
            using var training = ParameterGrouping.Begin(model, groups, options.Compute, options.Recompute, withKernels: withKernels);
            using var optimizer = new Optimizer(options.Optimizer, groups, training.Weights);
            var forward = new AttackForward(
                TuningArm.Parse("none"),
                new SalientParts(new HookPoint.Cls(0), "none", [], new Dictionary<int, int[]>()),
                null,
                options
            );
            var step = new TuningStep(model, data, captions, forward, options, _place);
            var at = 0;
            var whole = Seconds(rounds, () =>
            {
                step.Backward(at++, withAttacks: true);
                Update(options, optimizer, training);
            });
            var update = Seconds(rounds, () => Update(options, optimizer, training));
            var text =
                $"{name}, {(options.Compute == Precision.Bfloat16 ? "bfloat16" : "float32")}"
                + $"{(options.Recompute ? ", recomputed" : "")}{(options.Accumulation > 1 ? ", two halves" : "")}";
            Add(text, (options.CleanBatch + options.AttackBatch) * options.Accumulation, whole, Text(1e3 * update));
        }
    }

    private static void Update(FineTuningOptions options, Optimizer optimizer, ClipTraining training)
    {
        optimizer.Step(1e-3, Gradients.ClipFactor(Gradients.Norm(optimizer.Gradients), options.GradientClip));
        training.Refresh();
    }

    private void Pretrain()
    {
        var options = new PretrainingOptions
        {
            VisionWidth = 192,
            VisionLayers = 6,
            BatchSize = 256,
            Steps = device == "cpu" ? 2 : 100,
        };
        using var data = new CaptionedPixels(
            randint(0, 256, [512, 3, options.Resolution, options.Resolution], dtype: uint8),
            [.. Enumerable.Range(0, 512).Select(i => new[] { $"a photo of a {i}" })]
        );
        var reports = new List<(int Step, double Seconds)>();
        var watch = Stopwatch.StartNew();
        Pretrainer
            .Train(data, tokenizer, options, _place, new Reporter(progress => reports.Add((progress.Step, watch.Elapsed.TotalSeconds))))
            .Dispose();
        var (first, last) = reports.Count > 1 ? (reports[0], reports[^1]) : ((0, 0.0), reports[0]);
        Add("pretraining, 3.2 M parameters", options.BatchSize, (last.Seconds - first.Item2) / (last.Step - first.Item1), "");
    }

    private double Seconds(int rounds, Action work)
    {
        void Run(int count)
        {
            for (var i = 0; i < count; i++)
            {
                using var scope = NewDisposeScope();
                work();
            }

            if (_place.type == DeviceType.CUDA)
            {
                cuda.synchronize(_place);
            }
        }

        Run(3);
        return Measure.Seconds(() => Run(rounds)) / rounds;
    }

    private void Add(string name, int images, double seconds, string update)
    {
        _rates.Add((name, images / seconds));
        _table.Add(
            name,
            $"{images}",
            Text(1e3 * seconds),
            update,
            Text(1 / seconds),
            Text(images / seconds),
            Text((Compute.UsedBytes(device) ?? 0) / 1e9)
        );
    }

    private static string Text(double value) => value.ToString("F1", CultureInfo.InvariantCulture);

    private sealed class Reporter(Action<Pretrainer.Progress> take) : IProgress<Pretrainer.Progress>
    {
        public void Report(Pretrainer.Progress value) => take(value);
    }
}
