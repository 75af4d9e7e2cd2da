using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Model;
using TorchSharp;

namespace ClipSae.ZeroShotEvaluation.Models;

/// <summary>A checkpoint to score.</summary>
/// <param name="Name">Such as <c>base</c> or <c>penalise.s0</c>.</param>
/// <param name="Path">The checkpoint, in any form that <see cref="ClipCheckpoint"/> reads.</param>
/// <param name="Arm">The arm of fine-tuning it came from; null for the base and for models that a user brings.</param>
/// <param name="Seed">Its training seed.</param>
/// <param name="Validation">Its best validation score in training, by which the tuned model is chosen.</param>
/// <param name="Digest">Digest of its content, under which its text embeddings are kept; null keeps none.</param>
/// <param name="BaseValidation">The base's score on the same images, which it must exceed to be shown as the tuned model.</param>
public record ModelUnderTest(
    string Name,
    string Path,
    string? Arm = null,
    int? Seed = null,
    double? Validation = null,
    string? Digest = null,
    double? BaseValidation = null
)
{
    public const string BaseName = "base";

    /// <summary>File of the null token that the model is used with; null for most models.</summary>
    public string? NullToken { get; init; }

    /// <summary>Whether training made it no better than the base by the score that chooses.</summary>
    public bool IsBeatenByBase => Validation <= BaseValidation;

    /// <summary>
    /// Whether this is the random control of the other: of its arm, trained with its seed, so that nothing but the choice of features
    /// differs.
    /// </summary>
    public bool IsControlOf(ModelUnderTest other) => other.Arm is not null && Arm == ArmName.ControlOf(other.Arm) && Seed == other.Seed;

    /// <summary>Loads the weights, when the model's turn comes.</summary>
    /// <exception cref="UserErrorException">They cannot be read, or are no CLIP.</exception>
    public virtual ClipModel Load(torch.Device device)
    {
        var model = ClipModel.Load(Path, device);
        if (NullToken is not null)
        {
            using var token = Clip.Architecture.NullToken.Load(NullToken);
            model.Attach(token);
        }

        return model;
    }
}
