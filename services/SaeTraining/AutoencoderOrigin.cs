using ClipSae.Sae;

namespace ClipSae.SaeTraining;

/// <summary>Where an autoencoder comes from: a training of this run, or another program, of whose training nothing is known.</summary>
/// <param name="Variant">Its kind.</param>
/// <param name="Latents">Its features.</param>
/// <param name="Steps">Training steps; 0 where it was given.</param>
/// <param name="Rows">Rows trained on; 0 where it was given.</param>
/// <param name="DeadAfterSamples">Rows without firing after which a feature counted as dead in training.</param>
internal sealed record AutoencoderOrigin(SaeVariant Variant, int Latents, int Steps, long Rows, long DeadAfterSamples);
