namespace ClipSae.Results.Curation;

/// <summary>What switching off the most salient features of an autoencoder does.</summary>
/// <param name="Hook">Its hook point.</param>
/// <param name="Sae">Its name.</param>
/// <param name="Share">Share of its live features that are switched off.</param>
/// <param name="Features">All its features.</param>
/// <param name="Live">Those that fire.</param>
/// <param name="Salient">Those that are switched off.</param>
/// <param name="Before">Nothing ablated.</param>
/// <param name="Ablation">The salient ones ablated.</param>
/// <param name="Random">As many random ones ablated, one entry a draw.</param>
/// <param name="Effect">What the autoencoder is chosen by: attacked accuracy won over the mean random control, less twice the clean
/// accuracy lost against it.</param>
/// <param name="Chosen">Whether it is the one that is used.</param>
public sealed record AblatedLayer(
    string Hook,
    string Sae,
    double Share,
    int Features,
    int Live,
    int Salient,
    AttackAccuracy Before,
    AttackAccuracy Ablation,
    IReadOnlyList<AttackAccuracy> Random,
    double Effect,
    bool Chosen
);
