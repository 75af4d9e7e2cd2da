namespace ClipSae.Results.Evaluation;

/// <summary>Whether a model's probabilities mean what they say, at its own logit scale.</summary>
/// <param name="Bins">Bins of equal width over the probability of the choice.</param>
/// <param name="ExpectedError">
/// Expected calibration error (Guo et al. 2017, equation 3): Σ over bins of (share of images in it) · |accuracy − mean probability|. It is
/// never negative and resampling makes it larger, so its interval is shifted by that.
/// </param>
/// <param name="LogLoss">Mean −ln of the right answer's probability.</param>
/// <param name="Brier">Brier's score in its original form: Σ over candidates, from 0 to 2.</param>
public sealed record Calibration(int Bins, Interval ExpectedError, Interval LogLoss, Interval Brier);
