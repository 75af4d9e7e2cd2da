using ClipSae.Clip.Model;
using ClipSae.WeightConversion;
using ClipSae.WeightConversion.Weights;
using ClipSae.ZeroShotEvaluation.Models;
using TorchSharp;

namespace ClipSae.Cli.Sweeping;

/// <summary>
/// A model between base and tuned, made when its turn to be scored comes, and gone from the disk again when it is in memory unless it is
/// kept.
/// </summary>
/// <param name="Base">The checkpoint before fine-tuning.</param>
/// <param name="Tuned">The fine-tuned checkpoint.</param>
/// <param name="Alpha">Share of the tuned one.</param>
/// <param name="File">Where to write it.</param>
/// <param name="Keep">Whether the file stays.</param>
internal sealed record InterpolatedModel(ConversionSource Base, ConversionSource Tuned, double Alpha, string File, bool Keep)
    : ModelUnderTest(FormattableString.Invariant($"alpha {Alpha}"), File)
{
    public override ClipModel Load(torch.Device device)
    {
        WeightInterpolation.Write(Base, Tuned, Alpha, File);
        try
        {
            return base.Load(device);
        }
        finally
        {
            if (!Keep)
            {
                System.IO.File.Delete(File);
            }
        }
    }
}
