using ClipSae.AttackCuration.Images;
using ClipSae.AttackCuration.Salience;
using ClipSae.AttackCuration.Settings;
using ClipSae.AttackCuration.Words;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.Clip.Preprocessing;
using ClipSae.Datasets;
using ClipSae.Datasets.Drawing;
using ClipSae.Imaging.Pixels;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration.Attacks;

/// <summary>Prints wrong words on pictures and asks CLIP and the text-salient features what they see.</summary>
public sealed class AttackGenerator(
    VisionPlan vision,
    ZeroShotClassifier classifier,
    CausalSweep.Row salient,
    IReadOnlyList<SalientNeurons.Neuron> neurons,
    Printer printer,
    WordChooser chooser,
    AttackCurationOptions options,
    Device device
)
{
    private const int FeaturesNamed = 3;
    private const int NeuronsNamed = 3;

    /// <summary>Every candidate of the given pictures, scored.</summary>
    /// <param name="done">Pictures done.</param>
    public IReadOnlyList<AttackCandidate> Generate(IReadOnlyList<ImageSource> sources, Action<int> done, CancellationToken cancel)
    {
        var candidates = new List<AttackCandidate>();
        for (var from = 0; from < sources.Count; from += options.BatchSize)
        {
            cancel.ThrowIfCancellationRequested();
            var count = Math.Min(options.BatchSize, sources.Count - from);
            candidates.AddRange(Batch(sources, from, count));
            done(from + count);
        }

        return candidates;
    }

    /// <summary>Activation of the text-salient features on pictures as they are, one value each.</summary>
    public double[] Activations(Tensor pixels, CancellationToken cancel)
    {
        var values = new List<double>();
        for (long from = 0; from < pixels.shape[0]; from += options.BatchSize)
        {
            cancel.ThrowIfCancellationRequested();
            values.AddRange(Activation(pixels.narrow(0, from, Math.Min(options.BatchSize, pixels.shape[0] - from))));
        }

        return [.. values];
    }

    /// <summary>The classifier's logits of pictures as they are, one row each.</summary>
    public IReadOnlyList<float[]> Logits(IReadOnlyList<ImageSource> sources, CancellationToken cancel)
    {
        var rows = new List<float[]>();
        foreach (var batch in sources.Chunk(options.BatchSize))
        {
            cancel.ThrowIfCancellationRequested();
            using var pixels = PixelLoader.Load(batch.Length, i => batch[i].Read(), vision.Architecture.Preparation, cancel);
            rows.AddRange(Logits(pixels));
        }

        return rows;
    }

    /// <summary>The picture of a candidate.</summary>
    public RgbImage Draw(ImageSource source, IEnumerable<WordPlacement> shown) => printer.Paint(source.Canvas(printer.Target), shown);

    /// <summary>The boxes of a candidate's copies, pixels, for the manifest.</summary>
    public IEnumerable<(double Left, double Top, double Right, double Bottom)> Boxes(AttackCandidate attack) =>
        attack.Shown.Select(printer.Box);

    private AttackCandidate[] Batch(IReadOnlyList<ImageSource> sources, int from, int count)
    {
        using var scope = NewDisposeScope();
        var images = new RgbImage[count];
        Parallel.For(0, count, i => images[i] = sources[from + i].Canvas(printer.Target));
        var clean = Logits(PixelLoader.Stack(images, vision.Architecture.Preparation));
        var shown = new (IReadOnlyList<WordPlacement> Copies, string? Family)[count * options.CandidatesPerImage];
        var attacked = new RgbImage[shown.Length];
        var controls = new RgbImage[shown.Length];
        Parallel.For(0, count, i =>
        {
            var wrong = chooser.WrongOn(sources[from + i]);
            var used = new HashSet<string>(StringComparer.Ordinal);
            for (var c = 0; c < options.CandidatesPerImage; c++)
            {
                var random = new SeededRandom(options.Seed, "attack", ((long)(from + i) * options.CandidatesPerImage) + c);
                var word = chooser.Choose(chooser.Kind(random), sources[from + i], clean[i], wrong, used, random);
                used.Add(word);
                var index = (i * options.CandidatesPerImage) + c;
                shown[index] = printer.Plan(word, images[i], random);
                attacked[index] = printer.Paint(images[i], shown[index].Copies);
                controls[index] = printer.Paint(images[i], WordPairs.ControlOf(shown[index].Copies, from + i, options.Seed));
            }
        });
        var word = Look(PixelLoader.Stack(attacked, vision.Architecture.Preparation));
        var control = Look(PixelLoader.Stack(controls, vision.Architecture.Preparation));
        return
        [
            .. shown.Select(
                (print, index) =>
                {
                    var source = from + (index / options.CandidatesPerImage);
                    var (logits, label, printed) = (word[index].Logits, sources[source].Label, print.Copies[0].Word);
                    return new AttackCandidate(
                        source,
                        print.Copies,
                        label,
                        logits[chooser.ColumnOf(printed)] - logits[chooser.ColumnOf(label)],
                        chooser.IsFooled(logits, printed),
                        Visible: chooser.IsRight(control[index].Logits, label),
                        word[index].Activation,
                        word[index].Features,
                        Writers(word[index].Neurons, control[index].Neurons)
                    )
                    {
                        Family = print.Family,
                    };
                }
            ),
        ];
    }

    /// <summary>
    /// The neurons that write more into the salient features on the word than on its control, as <see cref="SalientNeurons"/> scores them
    /// over all pairs.
    /// </summary>
    private (int Layer, int Index)[] Writers(float[] word, float[] control) =>
        [
            .. neurons
                .Select((neuron, i) => (neuron.Layer, neuron.Index, Written: (word[i] - control[i]) * neuron.Write))
                .Where(n => n.Written > 0)
                .OrderByDescending(n => n.Written)
                .ThenBy(n => n.Layer)
                .ThenBy(n => n.Index)
                .Take(NeuronsNamed)
                .Select(n => (n.Layer, n.Index)),
        ];

    private float[][] Logits(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        return ImageBatches.Rows(classifier.Logits(vision.EncodeImage(vision.Architecture.Family.Normalization.Apply(pixels.to(device)))));
    }

    private double[] Activation(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var hooks = new Hooks().Capture(salient.Hook.Hook);
        vision.Run(vision.Architecture.Family.Normalization.Apply(pixels.to(device)), hooks);
        return Weighted(Latents(hooks));
    }

    /// <summary>Every picture, a batch at a time.</summary>
    /// <param name="pixels">[pictures, 3, R, R], bytes.</param>
    private List<Sight> Look(Tensor pixels)
    {
        var seen = new List<Sight>();
        for (long from = 0; from < pixels.shape[0]; from += options.BatchSize)
        {
            seen.AddRange(LookAtBatch(pixels.narrow(0, from, Math.Min(options.BatchSize, pixels.shape[0] - from))));
        }

        return seen;
    }

    private Sight[] LookAtBatch(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var hooks = new Hooks().Capture(salient.Hook.Hook);
        var active = new Dictionary<int, float[][]>();
        foreach (var layer in neurons.Select(n => n.Layer).Distinct())
        {
            hooks.Observe(new HookPoint.Mlp(layer), values => active[layer] = ImageBatches.Rows(salient.Hook.NeuronsPerImage(values)));
        }

        var logits = ImageBatches.Rows(
            classifier.Logits(vision.EncodeImage(vision.Architecture.Family.Normalization.Apply(pixels.to(device)), hooks))
        );
        var latents = Latents(hooks);
        var (weighted, activation) = (ImageBatches.Rows(latents * Weights()), Weighted(latents));
        return
        [
            .. logits.Select(
                (row, i) => new Sight(row, activation[i], Strongest(weighted[i]), [.. neurons.Select(n => active[n.Layer][i][n.Index])])
            ),
        ];
    }

    private int[] Strongest(float[] weighted) =>
        [
            .. weighted
                .Select((value, column) => (value, column))
                .Where(f => f.value > 0)
                .OrderByDescending(f => f.value)
                .ThenBy(f => f.column)
                .Take(FeaturesNamed)
                .Select(f => salient.Salient[f.column].Feature),
        ];

    /// <summary>Values of the text-salient features, [pictures, features].</summary>
    private Tensor Latents(Hooks hooks) =>
        salient
            .Hook.PerImage(hooks.Captured(salient.Hook.Hook).to(ScalarType.Float32))
            .index_select(1, tensor(salient.Salient.Select(s => (long)s.Feature).ToArray(), device: device));

    private Tensor Weights() => FeatureScore.Weights(salient.Salient).to(device);

    private double[] Weighted(Tensor latents) => [.. latents.mv(Weights()).cpu().data<float>().ToArray().Select(a => (double)a)];

    /// <summary>What CLIP and the SAE make of a picture.</summary>
    /// <param name="Logits">One a name of the classifier.</param>
    /// <param name="Activation">Salience-weighted activation of the text-salient features.</param>
    /// <param name="Features">Which of these fire most, weighted with their salience; strongest first.</param>
    /// <param name="Neurons">Activation of each salient neuron (<see cref="SaeAtHook.NeuronsPerImage"/>).</param>
    private sealed record Sight(float[] Logits, double Activation, int[] Features, float[] Neurons);
}
