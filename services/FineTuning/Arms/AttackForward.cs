using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.FineTuning.Settings;
using ClipSae.Sae.Encoding;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Arms;

/// <summary>Forward passes as an arm wants them: what it changes in them is changed in that call alone.</summary>
/// <param name="parts">The neurons and features that it acts on.</param>
/// <param name="autoencoder">Where the arm reads features.</param>
/// <param name="basis">The base, where the arm compares with it.</param>
public sealed class AttackForward(
    TuningArm arm,
    SalientParts parts,
    SparseAutoencoder? autoencoder,
    FineTuningOptions options,
    VisionPlan? basis = null
)
{
    public TuningArm Arm => arm;

    /// <summary>Features of clean and attack images in one pass.</summary>
    /// <param name="withLoss">Whether the arm's loss is wanted too.</param>
    /// <returns>Embeddings [batch, embed] and the arm's own loss, null without one.</returns>
    public (Tensor Embeddings, Tensor? Penalty) Run(ClipModel model, ArmImages images, bool withLoss)
    {
        var pass = new ArmPass(model, images, parts, autoencoder, basis, options);
        arm.Arrange(pass);
        var embeddings = pass.Run();
        return (embeddings, withLoss ? arm.Loss(pass) : null);
    }
}
