using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.FineTuning.Optimization;
using ClipSae.FineTuning.Settings;
using ClipSae.Tensors;
using TorchSharp.Modules;

namespace ClipSae.FineTuning.Training;

/// <summary>Sorts a CLIP's parameters into groups by OpenAI's key names.</summary>
public static class ParameterGrouping
{
    private const string AdapterPart = "adapter";

    /// <summary>One learning rate for all; decay on matrices alone.</summary>
    public static IEnumerable<ParameterGroup> Uniform(ClipModel model, double learningRate, double weightDecay) =>
        Split("all", model.named_parameters(), learningRate, weightDecay);

    /// <summary>Upstream's groups, each with its own learning rate; without what is frozen.</summary>
    /// <param name="adapterLearningRate">Of what adapts weights (<see cref="LowRankAdapter"/>), if there is some.</param>
    public static IEnumerable<ParameterGroup> ByPart(
        ClipModel model,
        GroupLearningRates learningRates,
        double weightDecay,
        double adapterLearningRate = 0
    )
    {
        double LearningRateOf(string part) => part == AdapterPart ? adapterLearningRate : learningRates.Of(part);
        return model
            .named_parameters()
            .Where(p => p.parameter.requires_grad)
            .GroupBy(p => PartOf(p.name), StringComparer.Ordinal)
            .OrderBy(g => g.Key, StringComparer.Ordinal)
            .Where(g => LearningRateOf(g.Key) > 0)
            .SelectMany(g => Split(g.Key, g, LearningRateOf(g.Key), weightDecay));
    }

    /// <summary>
    /// Has no gradients computed for parts whose learning rate is 0, nor for what only leads to them; of an adapted model, only for what
    /// adapts it.
    /// </summary>
    /// <param name="visionAlone">Whether the text tower and the scale of logits are frozen too, at any learning rate: an arm without
    /// captions has nothing to teach them.</param>
    /// <param name="nullTokenAlone">Whether all but the null token is frozen.</param>
    public static void Freeze(ClipModel model, GroupLearningRates learningRates, bool visionAlone = false, bool nullTokenAlone = false)
    {
        foreach (var (name, parameter) in model.named_parameters())
        {
            if (model.IsAdapted)
            {
                parameter.requires_grad =
                    LowRankAdapter.LayerOf(name) is { } layer
                    && learningRates.Of(PartOf(layer)) > 0
                    && (!visionAlone || layer.StartsWith("visual.", StringComparison.Ordinal));
                continue;
            }

            parameter.requires_grad =
                learningRates.Of(PartOf(name)) > 0
                && (!visionAlone || name.StartsWith("visual.", StringComparison.Ordinal))
                && (!nullTokenAlone || PartOf(name) == GroupLearningRates.NullTokenPart);
        }
    }

    /// <summary>Begins a training of these groups; see <see cref="ClipTraining.Begin"/>.</summary>
    public static ClipTraining Begin(
        ClipModel model,
        IReadOnlyList<ParameterGroup> groups,
        Precision compute,
        bool recompute,
        bool? flat = null,
        bool withKernels = true
    ) =>
        ClipTraining.Begin(
            model,
            [.. groups.Select(group => group.Parameters.Select(p => p.Name).ToArray())],
            compute.Type(),
            recompute,
            flat,
            withKernels
        );

    /// <summary>The part of the model that a key belongs to.</summary>
    internal static string PartOf(string key) =>
        key switch
        {
            "token_embedding.weight" => GroupLearningRates.TokenEmbeddingPart,
            ClipKeys.Positions or ClipKeys.StretchedPositions or "visual.positional_embedding" or "visual.class_embedding" =>
                GroupLearningRates.PositionsPart,
            _ when LowRankAdapter.LayerOf(key) is not null => AdapterPart,
            _ when key.StartsWith(ClipKeys.NullToken, StringComparison.Ordinal) => GroupLearningRates.NullTokenPart,
            _ when key.StartsWith("visual.transformer.", StringComparison.Ordinal) => GroupLearningRates.VisionPart,
            _ when key.StartsWith("transformer.", StringComparison.Ordinal) => GroupLearningRates.TextPart,
            _ => GroupLearningRates.ProjectionsPart,
        };

    // r of GmP, biases, LayerNorm gains, embeddings, SigLIP's probe and logit_scale are lengths or positions, not directions: decay would
    // shrink what they measure.
    private static bool Decays((string Name, Parameter Value) p) =>
        p.Value.dim() >= 2
        && !p.Name.EndsWith(".r", StringComparison.Ordinal)
        && p.Name != ClipKeys.Probe
        && !p.Name.Contains("embedding", StringComparison.Ordinal);

    private static IEnumerable<ParameterGroup> Split(
        string name,
        IEnumerable<(string name, Parameter parameter)> parameters,
        double learningRate,
        double weightDecay
    )
    {
        var ordered = parameters.Select(p => (Name: p.name, Value: p.parameter)).OrderBy(p => p.Name, StringComparer.Ordinal).ToArray();
        yield return new ParameterGroup(name + ", decayed", learningRate, weightDecay, [.. ordered.Where(Decays)]);
        yield return new ParameterGroup(name, learningRate, 0, [.. ordered.Where(p => !Decays(p))]);
    }
}
