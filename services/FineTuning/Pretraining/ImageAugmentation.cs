namespace ClipSae.FineTuning.Pretraining;

/// <summary>
/// How pictures are varied while a CLIP is trained from scratch, so that a few ten thousand photographs do not get learned by heart.
/// Pictures that the data set records as bearing print (<see cref="Datasets.PrintedText"/>) are neither cut nor mirrored: a mirrored word
/// is no word, and half of one is another.
/// </summary>
public sealed record ImageAugmentation
{
    /// <summary>Smallest side of a random crop as a share of the picture's; 1 cuts nothing. Default 0.6.</summary>
    public double Crop { get; init; } = 0.6;

    /// <summary>Whether every other picture is mirrored. Default true.</summary>
    public bool Flip { get; init; } = true;

    /// <summary>Brightness (in deviations), contrast and saturation (as factors) each vary by up to this. Default 0.3.</summary>
    public double Jitter { get; init; } = 0.3;

    /// <summary>
    /// Share of its patches that a picture loses in each step but the last tenth of them: less to compute, and harder to learn by heart
    /// (FLIP, arXiv 2212.00794, whose "unmasked tuning" the last tenth is). Default 0.
    /// </summary>
    public double PatchDropout { get; init; }

    /// <exception cref="UserErrorException">A value is impossible; the message names it.</exception>
    public ImageAugmentation Validated() =>
        Crop is > 0 and <= 1 && Jitter is >= 0 and < 1 && PatchDropout is >= 0 and < 1
            ? this
            : throw new UserErrorException(
                $"pretrain: crop {Crop} must be above 0 and at most 1, jitter {Jitter} and patch dropout {PatchDropout} from 0 to below 1"
            );
}
