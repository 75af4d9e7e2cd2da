using ClipSae.Clip.Architecture;
using ClipSae.Datasets;
using ClipSae.FineTuning.Heads;
using ClipSae.Results.Curation;

namespace ClipSae.FineTuning.Arms;

/// <summary>The neurons or features that an arm acts on: those that curation found, or a control's random ones.</summary>
/// <param name="Hook">Where the features live.</param>
/// <param name="Autoencoder">Name of the SAE among the stage's inputs.</param>
/// <param name="Features">Latents of the SAE at that hook.</param>
/// <param name="Neurons">MLP neurons by layer.</param>
public sealed record SalientParts(HookPoint Hook, string Autoencoder, IReadOnlyList<int> Features, IReadOnlyDictionary<int, int[]> Neurons)
{
    /// <summary>
    /// Features besides the chosen ones that are looked at, at most: dense latents of 32 images of 257 tokens take 135 MB then.
    /// </summary>
    public const int MaxOthers = 4096;

    private int[]? _others;

    /// <summary>Heads whose writes along the features' directions are looked at; none unless the arm looks at them.</summary>
    public IReadOnlyList<TextDirections.OfHead> Heads { get; init; } = [];

    /// <summary>
    /// Latents that are not among <see cref="Features"/>, ascending; above <see cref="MaxOthers"/> of them that many, drawn once.
    /// </summary>
    /// <param name="latents">Of the SAE.</param>
    public IReadOnlyList<int> Others(int latents)
    {
        if (_others is null)
        {
            var others = Enumerable.Range(0, latents).Except(Features).ToList();
            if (others.Count > MaxOthers)
            {
                new SeededRandom(0, "kept features").Shuffle(others);
            }

            _others = [.. others.Take(MaxOthers).Order()];
        }

        return _others;
    }

    /// <summary>
    /// Reads curation's <c>salient</c> output; for a random arm, as many features that fire equally often and as many other neurons of the
    /// same layers.
    /// </summary>
    /// <exception cref="UserErrorException">The arm scales neurons and there are none.</exception>
    public static SalientParts Read(SalientFindings salient, TuningArm arm, ClipArchitecture architecture, long seed)
    {
        var hook = HookPoint.Parse(salient.Hook).CheckedFor(architecture);
        var neurons = salient.Neurons.GroupBy(n => n.Layer, n => n.Neuron).ToDictionary(g => g.Key, g => g.ToArray());
        UserErrorException.ThrowIf(
            neurons.Count == 0 && arm.ScalesNeurons,
            $"fine-tuning: curation found no salient neuron, so the arm {arm.Name} would be the arm none; "
                + $"leave it out of tuning.arms or raise curation.neuronsPerLayer"
        );

        if (!arm.IsRandom)
        {
            return new SalientParts(hook, salient.Sae, [.. salient.Features.Select(f => f.Feature)], neurons);
        }

        var draws = salient.RandomFeatures;
        return new SalientParts(
            hook,
            salient.Sae,
            draws[(int)(((seed % draws.Count) + draws.Count) % draws.Count)],
            neurons.ToDictionary(n => n.Key, n => RandomTwins(n.Key, n.Value, architecture.VisionNeurons, seed))
        );
    }

    private static int[] RandomTwins(int layer, int[] chosen, int width, long seed)
    {
        var others = Enumerable.Range(0, width).Except(chosen).ToList();
        new SeededRandom(seed, "random neurons", layer).Shuffle(others);
        return [.. others.Take(chosen.Length)];
    }
}
