using ClipSae.Clip.Architecture;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.FineTuning.Settings;
using ClipSae.Sae.Encoding;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Arms;

/// <summary>
/// One forward pass as its arm sees it. What the base makes of the same pictures is computed once, where an arm asks for it, and without
/// gradients.
/// </summary>
internal sealed class ArmPass(
    ClipModel model,
    ArmImages images,
    SalientParts parts,
    SparseAutoencoder? autoencoder,
    VisionPlan? basis,
    FineTuningOptions options
)
{
    private Tensor? _embeddings;
    private bool _isCaptured;
    private (Tensor Embeddings, Tensor? Activations)? _baseClean;

    public Hooks Hooks { get; } = new();

    public SalientParts Parts => parts;

    public FineTuningOptions Options => options;

    public Tensor Images => images.Images;

    /// <summary>How many images are clean; they come first.</summary>
    public long Clean => images.Clean;

    public long Attacks => images.Images.shape[0] - images.Clean;

    /// <summary>float32 [attacks]: 1 where an attack was printed on a picture.</summary>
    public Tensor HasSource => images.HasSource!;

    /// <summary>Features of the images, after <see cref="Run"/>: [batch, embed].</summary>
    public Tensor Embeddings => _embeddings!;

    /// <summary>What was captured where the SAE reads, [batch, …].</summary>
    public Tensor Activations => Hooks.Captured(parts.Hook);

    /// <summary>
    /// What the base makes of the clean images: embeddings [clean, embed], and activations where the SAE reads, if the arm captures them.
    /// </summary>
    public (Tensor Embeddings, Tensor? Activations) BaseClean => _baseClean ??= OfBase(images.Images.narrow(0, 0, Clean));

    /// <summary>Makes the forward pass.</summary>
    public Tensor Run() => _embeddings = model.EncodeImage(images.Images, Hooks);

    /// <summary>Keeps the activations that the SAE reads.</summary>
    public void CaptureFeatures()
    {
        if (!_isCaptured)
        {
            Hooks.Capture(parts.Hook);
            _isCaptured = true;
        }
    }

    /// <summary>Keeps what the heads of the arm's layers give.</summary>
    public void CaptureHeads() => CaptureHeads(Hooks);

    /// <summary>What they give on the attacks' unreadable twins; no gradient flows through it.</summary>
    public Hooks HeadsOfControls()
    {
        using var noGrad = no_grad();
        var hooks = CaptureHeads(new Hooks());
        model.Run(images.Controls!, hooks);
        return hooks;
    }

    public Tensor OfClean(Tensor rows) => rows.narrow(0, 0, Clean);

    public Tensor OfAttacks(Tensor rows) => rows.narrow(0, Clean, Attacks);

    /// <summary>The arm's features of activations, [..., features].</summary>
    public Tensor Features(Tensor activations) => autoencoder!.Features(activations, parts.Features);

    /// <summary>The SAE's other features of activations, [..., features].</summary>
    public Tensor OtherFeatures(Tensor activations) => autoencoder!.Features(activations, parts.Others(autoencoder.Latents));

    /// <summary>
    /// The arm's features of the attacks' unreadable twins. They are the yardstick, not a thing to be trained: no gradient flows through
    /// them.
    /// </summary>
    public Tensor ControlFeatures()
    {
        using var noGrad = no_grad();
        var hooks = new Hooks().Capture(parts.Hook);
        model.Run(images.Controls!, hooks);
        return Features(hooks.Captured(parts.Hook));
    }

    /// <summary>What the base makes of the pictures under the attacks: [attacks, embed].</summary>
    public Tensor BaseSources() => basis!.EncodeImage(images.Sources!);

    /// <summary>What the model makes of the attacks' print alone: [attacks, embed].</summary>
    public Tensor EncodePrint() => model.EncodeImage(images.Print!);

    /// <summary>What the base makes of it: [attacks, embed].</summary>
    public Tensor BasePrint() => basis!.EncodeImage(images.Print!);

    private Hooks CaptureHeads(Hooks hooks) =>
        parts.Heads.Select(head => head.Layer).Distinct().Aggregate(hooks, (all, layer) => all.Capture(new HookPoint.Heads(layer)));

    private (Tensor Embeddings, Tensor? Activations) OfBase(Tensor pictures)
    {
        var hooks = _isCaptured ? new Hooks().Capture(parts.Hook) : null;
        return (basis!.EncodeImage(pictures, hooks), hooks?.Captured(parts.Hook));
    }
}
