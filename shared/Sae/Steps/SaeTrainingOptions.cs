namespace ClipSae.Sae.Steps;

/// <summary>How an autoencoder is trained. Defaults are those of arXiv 2406.04093 unless said otherwise.</summary>
public sealed record SaeTrainingOptions
{
    /// <summary>Which autoencoder; k is part of it.</summary>
    public required SaeVariant Variant { get; init; }

    /// <summary>d_sae, the size of the dictionary.</summary>
    public required int Latents { get; init; }

    /// <summary>Optimizer steps.</summary>
    public required int Steps { get; init; }

    /// <summary>Rows a step.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Seed of the initial dictionary and of the order of the rows.</summary>
    public long Seed { get; init; }

    /// <summary>α of <c>MSE/Var + α·AuxK</c>: 1/32 (section 2.4).</summary>
    public double AuxAlpha { get; init; } = 1.0 / 32;

    /// <summary>Dead latents that reconstruct the residual; null for d_in/2, at most 512 (appendix A.2).</summary>
    public int? AuxK { get; init; }

    /// <summary>
    /// Samples without firing after which a latent is dead. The paper's 10 million suit billions of tokens; null takes a tenth of the
    /// samples that this training will see, at most 10 million.
    /// </summary>
    public long? DeadAfter { get; init; }

    /// <summary>Peak learning rate; null for 2e-4/√(d_sae/2¹⁴) (appendix A.3).</summary>
    public double? LearningRate { get; init; }

    /// <summary>
    /// Share of the steps in which the learning rate rises linearly to its peak. Not in the paper; keeps Adam's first steps small.
    /// </summary>
    public double WarmUpShare { get; init; } = 0.05;

    /// <summary>
    /// Share of the steps, at the end, in which the learning rate falls linearly to zero (appendix A.3 lets it fall over the last 20 %).
    /// </summary>
    public double DecayShare { get; init; } = 0.2;

    /// <summary>Adam's β₁ (appendix A.3).</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Adam's β₂ (appendix A.3).</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Adam's ε (appendix A.3).</summary>
    public double Epsilon { get; init; } = 6.25e-10;

    /// <summary>Rows of the sample whose geometric median b_pre starts as (appendix A.1).</summary>
    public int MedianSample { get; init; } = 8192;

    /// <summary>The peak learning rate in force.</summary>
    public double PeakLearningRate => LearningRate ?? 2e-4 / Math.Sqrt(Latents / 16384.0);

    /// <summary>The samples after which a latent is dead, in force.</summary>
    public long DeadAfterSamples => DeadAfter ?? Math.Clamp((long)Steps * BatchSize / 10, 1, 10_000_000);

    /// <summary>The number of auxiliary latents in force for inputs of this width.</summary>
    public int AuxKFor(int width) => AuxK ?? Math.Clamp(width / 2, 1, 512);

    /// <summary>The learning rate of a step, counted from 0.</summary>
    public double LearningRateAt(long step)
    {
        var warmUp = (long)Math.Round(Steps * WarmUpShare);
        var decay = Math.Max(1, (long)Math.Round(Steps * DecayShare));
        var rising = step < warmUp ? (step + 1.0) / (warmUp + 1) : 1;
        var falling = Math.Min(1, (Steps - step) / (double)decay);
        return PeakLearningRate * rising * Math.Max(0, falling);
    }
}
