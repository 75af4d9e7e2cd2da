namespace ClipSae.Sae.Steps;

/// <summary>Losses of one step on the batch it was taken with.</summary>
/// <param name="Total">MSE/Var + α·AuxK.</param>
/// <param name="Reconstruction">MSE/Var.</param>
/// <param name="Auxiliary">AuxK; 0 when no latent is dead.</param>
public sealed record SaeLosses(double Total, double Reconstruction, double Auxiliary);
