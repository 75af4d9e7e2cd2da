namespace ClipSae.Results.Curation;

/// <summary>How well patches with print were found, on curation's own print.</summary>
/// <param name="Hooks">Hook points that the detector reads.</param>
/// <param name="Features">Features that it reads.</param>
/// <param name="Auroc">How well it separates patches with print from others.</param>
/// <param name="RandomAuroc">The same with as many random features.</param>
/// <param name="HiddenGround">Share of patches without print that is hidden with the print.</param>
/// <param name="Separation">How well own names and wrong words were separated with the print hidden (AUROC).</param>
public sealed record PrintDetectorQuality(
    IReadOnlyList<string> Hooks,
    int Features,
    double Auroc,
    double RandomAuroc,
    double HiddenGround,
    double Separation
);
