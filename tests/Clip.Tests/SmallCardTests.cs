using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.Clip.Training;
using TorchSharp;

namespace ClipSae.Clip.Tests;

/// <summary>
/// Bytes of a LoRA training with recomputation in bfloat16: parameters in float32 and in the precision of the passes, what is trained with
/// its gradients and two moments, and of activations the input of every block and one block's own. How the buffers are counted is held
/// against those of a small model; no card is asked.
/// </summary>
public sealed class SmallCardTests
{
    private const double Gibibyte = 1L << 30;
    private const int Rank = 16;

    /// <summary>Context, kernels' code, workspaces of products.</summary>
    private const double OfLibraries = 1 * Gibibyte;

    [Theory]
    [InlineData("LAION ViT-H/14", 16, 64, 9)]
    [InlineData("LAION ViT-bigG/14", 24, 64, 17)]
    public void A_low_rank_adapter_is_trained_on_a_card_of_that_many_gibibytes(string name, int card, int pictures, int atLeast)
    {
        var a = name.Contains("bigG", StringComparison.Ordinal)
            ? new ClipArchitecture(1280, 224, 48, 1664, 14, 77, 49408, 1280, 32) { VisionNeurons = 8192 }
            : new ClipArchitecture(1024, 224, 32, 1280, 14, 77, 49408, 1024, 24);
        var weights = Buffers(a, Rank);
        var activations =
            Activations(a.VisionTokens, a.VisionWidth, a.VisionNeurons, a.VisionLayers, pictures)
            + Activations(a.ContextLength, a.TextWidth, a.TextNeurons, a.TextLayers, pictures);
        // Where it begins, the parameters are there twice: as they were loaded, and side by side.
        var beginning = 2.0 * sizeof(float) * Elements(ClipKeys.Shapes(a));

        var most = (Math.Max(beginning, weights + activations) + OfLibraries) / Gibibyte;

        most.ShouldBeLessThan(card);
        // What is trained whole would not fit: gradients and two moments of every weight.
        ((weights + (3.0 * sizeof(float) * Elements(ClipKeys.Shapes(a)))) / Gibibyte).ShouldBeGreaterThan(card);
        most.ShouldBeGreaterThan(atLeast);
    }

    [Fact]
    public void Buffers_are_counted_as_a_training_makes_them()
    {
        using var scope = torch.NewDisposeScope();
        var a = new ClipArchitecture(64, 32, 2, 128, 8, 16, 600, 64, 1);
        using var model = ClipModel.Initialize(a, 1);
        model.Attach(new LowRankAdapter(2, 2, LowRankAdapter.Layers), seed: 1);
        string[] trained =
        [
            .. model.named_parameters().Select(parameter => parameter.name).Where(name => LowRankAdapter.LayerOf(name) is not null),
        ];
        using var training = ClipTraining.Begin(model, [trained], torch.bfloat16, recompute: true, flat: true);

        // What is read as it is has no copy in the narrow precision.
        var narrow = model
            .named_parameters()
            .Select(parameter => training.Weights!.Weight(parameter.name, scale: null))
            .Where(weight => weight.dtype == torch.bfloat16)
            .ToArray();
        var made =
            (sizeof(float) * (training.Weights!.Values.NumberOfElements + (3 * training.Weights.Gradients.NumberOfElements)))
            + (2 * narrow.Sum(weight => weight.NumberOfElements))
            + (2 * narrow.Where(weight => weight.requires_grad).Sum(weight => weight.NumberOfElements));

        var counted = Buffers(a, 2);
        counted.ShouldBeInRange(made, 1.1 * made); // buffers have gaps of up to 63 elements between parameters
        narrow.Count(weight => weight.requires_grad).ShouldBe(trained.Length);
    }

    /// <summary>Parameters, their copy in bfloat16, and of those that are trained gradients in both precisions and two moments.</summary>
    private static double Buffers(ClipArchitecture a, int rank)
    {
        var form = new LowRankAdapter(rank, rank, LowRankAdapter.Layers);
        var all = ClipKeys.Shapes(a).ToList();
        var adapter = all.Where(weight => form.Adapts(weight.Key))
            .SelectMany(weight =>
                new KeyValuePair<string, long[]>[]
                {
                    new(LowRankAdapter.A + weight.Key, [rank, weight.Value[1]]),
                    new(LowRankAdapter.B + weight.Key, [weight.Value[0], rank]),
                }
            )
            .ToList();
        var layout = new ParameterLayout(
            all.Concat(adapter).Select(weight => (weight.Key, weight.Value)),
            [
                [.. adapter.Select(weight => weight.Key)],
            ]
        );
        var direct = Elements(all.Where(weight => weight.Key.Contains("embedding", StringComparison.Ordinal)));
        return (sizeof(float) * (layout.Length + (3.0 * layout.TrainedLength))) + (2.0 * (layout.Length - direct + layout.TrainedLength));
    }

    /// <summary>
    /// Of every block its input, kept with the gradient of one; of the block that is computed again what its operations keep, and as much
    /// of gradients, in bfloat16.
    /// </summary>
    private static double Activations(long tokens, long width, long neurons, long layers, int rows)
    {
        // Two LayerNorms with inputs, query, key and value, their mix, two sums, two projections; neurons before and behind the activation.
        const int Widths = 12,
            Neurons = 2;
        var block = 2 * ((Widths * width) + (Neurons * neurons));
        return 2.0 * rows * tokens * (((layers + 2) * width) + block);
    }

    private static long Elements(IEnumerable<KeyValuePair<string, long[]>> shapes) =>
        shapes.Sum(shape => shape.Value.Aggregate(1L, (product, size) => product * size));
}
