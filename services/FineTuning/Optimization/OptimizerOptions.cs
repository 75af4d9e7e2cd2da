using System.Text.Json.Serialization;

namespace ClipSae.FineTuning.Optimization;

/// <summary>Which update rule, with its own hyper-parameters.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(AdamW), "adamw")]
[JsonDerivedType(typeof(AdaBelief), "adabelief")]
public abstract record OptimizerOptions
{
    private OptimizerOptions() { }

    /// <summary>Weight decay of matrices; none on biases, LayerNorm, radii and embeddings (science of GmP, section 2).</summary>
    public abstract double WeightDecay { get; init; }

    /// <summary>Adam with decoupled weight decay (arXiv 1711.05101). β as CLIP was trained (arXiv 2103.00020, table 18).</summary>
    public sealed record AdamW(double Beta1 = 0.9, double Beta2 = 0.98, double Epsilon = 1e-6) : OptimizerOptions
    {
        public override double WeightDecay { get; init; } = 0.1;
    }

    /// <summary>AdaBelief (arXiv 2010.07468), rectified as RAdam and with decoupled decay; values of upstream's recipe.</summary>
    public sealed record AdaBelief(double Beta1 = 0.9, double Beta2 = 0.999, double Epsilon = 1e-14) : OptimizerOptions
    {
        public override double WeightDecay { get; init; } = 1e-3;
    }
}
