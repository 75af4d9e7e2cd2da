using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.WeightConversion.Tests;

/// <summary>Checkpoints that are not as they should be.</summary>
internal static class ChangedCheckpoint
{
    /// <summary>Writes a copy of a checkpoint after a change to its tensors.</summary>
    public static void Write(string source, string target, Action<Dictionary<string, torch.Tensor>> change)
    {
        using var scope = torch.NewDisposeScope();
        Dictionary<string, torch.Tensor> tensors;
        using (var file = SafetensorsFile.Open(source))
        {
            tensors = file.Entries.Keys.ToDictionary(key => key, file.Read);
        }

        change(tensors);
        SafetensorsWriter.Write(target, tensors);
    }
}
