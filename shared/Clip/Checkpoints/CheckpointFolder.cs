using ClipSae.Tensors;
using ClipSae.Tensors.Files;

namespace ClipSae.Clip.Checkpoints;

/// <summary>A model folder as <c>transformers</c> and open_clip keep it: weights in one file or several.</summary>
internal static class CheckpointFolder
{
    private static readonly string[] Weights =
    [
        "model.safetensors",
        "model.safetensors.index.json",
        "open_clip_model.safetensors",
        "pytorch_model.bin",
        "pytorch_model.bin.index.json",
        "open_clip_pytorch_model.bin",
    ];

    /// <summary>Opens the weights of a folder.</summary>
    /// <exception cref="UserErrorException">There are none or several, or the folder cannot be read.</exception>
    public static ITensorFile Open(string folder)
    {
        var path = Weights.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists) ?? OnlyFile(folder);
        return ShardedTensors.IsIndex(path) ? ShardedTensors.Open(path) : TensorFiles.Open(path);
    }

    private static string OnlyFile(string folder)
    {
        string[] found;
        try
        {
            found =
            [
                .. new[] { "*.safetensors", "*.pt", "*.pth", "*.bin" }
                    .SelectMany(pattern => Directory.EnumerateFiles(folder, pattern))
                    .Order(StringComparer.Ordinal),
            ];
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"{folder}: cannot be read: {failure.Message}", failure);
        }

        return found switch
        {
            [var only] => only,
            [] => throw new UserErrorException(
                $"{folder}: contains no weights; expected {string.Join(", ", Weights)}, or one file of another name"
            ),
            _ => throw new UserErrorException(
                $"{folder}: contains several weight files ({Path.GetFileName(found[0])}, {Path.GetFileName(found[1])}, …); name one"
            ),
        };
    }
}
