using ClipSae.Clip;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.WeightConversion;

/// <summary>Writes a checkpoint in a target format, one tensor at a time.</summary>
public static class WeightConverter
{
    /// <summary>Writes the file whole or not at all; equal sources give equal bytes.</summary>
    /// <param name="source">A checkpoint under OpenAI's keys, plain or in Geometric Parametrization.</param>
    /// <param name="name">What to call the source in errors.</param>
    /// <param name="written">Called after each tensor with the number written and the number in all.</param>
    /// <returns>Linear layers that were materialised from r and θ.</returns>
    /// <exception cref="ClipSae.Contracts.UserErrorException">A key or shape does not fit, or the file cannot be written.</exception>
    public static int Convert(string source, string name, string path, ConversionTarget target, Action<int, int>? written = null, CancellationToken cancel = default)
    {
        using var checkpoint = ClipCheckpoint.Open(source, name);
        var plain = new PlainWeights(checkpoint);
        var layouts = target.Layouts(plain.Shapes).ToDictionary(layout => layout.Name, StringComparer.Ordinal);
        var metadata = plain.Metadata.Concat(target.Metadata).GroupBy(entry => entry.Key)
            .ToDictionary(group => group.Key, group => group.Last().Value, StringComparer.Ordinal);
        var done = 0;
        SafetensorsWriter.WriteStreaming(path, layouts.Values, Make, metadata);
        return plain.GeometricLayers;

        torch.Tensor Make(string key)
        {
            cancel.ThrowIfCancellationRequested();
            written?.Invoke(++done, layouts.Count);
            using var scope = torch.NewDisposeScope();
            return plain.Read(key).to(layouts[key].Type).DetachFromDisposeScope();
        }
    }
}
