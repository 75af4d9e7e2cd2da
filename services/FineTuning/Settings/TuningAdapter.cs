using System.Text.Json.Serialization;
using ClipSae.Clip.Architecture;

namespace ClipSae.FineTuning.Settings;

/// <summary>What is trained in place of a model's weights, which stay as they are and get neither gradients nor moments.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(Lora), "lora")]
public abstract record TuningAdapter
{
    private TuningAdapter() { }

    public abstract int Rank { get; init; }

    /// <summary>The product of the two matrices counts alpha/rank.</summary>
    public abstract double Alpha { get; init; }

    /// <summary>
    /// Learning rate, in place of <see cref="FineTuningOptions.LearningRates"/>, of which a 0 still leaves a tower as it is.
    /// </summary>
    public abstract double LearningRate { get; init; }

    /// <summary>Linear layers of every block that are adapted.</summary>
    public abstract IReadOnlyList<string> Targets { get; init; }

    internal LowRankAdapter Form => new(Rank, Alpha, Targets);

    /// <summary>
    /// Low-rank adaptation (LoRA, arXiv 2106.09685). Every linear layer is adapted, as arXiv 2305.14314 found best; rank and alpha are
    /// common defaults.
    /// </summary>
    public sealed record Lora : TuningAdapter
    {
        public override int Rank { get; init; } = 16;

        public override double Alpha { get; init; } = 16;

        public override double LearningRate { get; init; } = 1e-4;

        public override IReadOnlyList<string> Targets { get; init; } = LowRankAdapter.Layers;
    }
}
