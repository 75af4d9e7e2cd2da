using ClipSae.Clip.Architecture;

namespace ClipSae.Clip.Checkpoints;

/// <summary>
/// What is next to weights and describes them, read in one way for a file and for a folder. Tensors do not say which activation, how many
/// heads and which preparation of pictures belong to them, and a wrong one gives features that look right: what is described and not
/// computed is refused by name.
/// </summary>
internal static class ModelDescription
{
    private static readonly string[] Names =
    [
        TransformersDescription.FileName,
        OpenClipDescription.FileName,
        PreprocessingDescription.FileName,
        PreprocessingDescription.NewFileName,
    ];

    /// <summary>Whether a file of this name may describe the weights next to it.</summary>
    public static bool IsNamed(string name) => Names.Contains(name);

    /// <param name="path">The weights: a file, an index, or a folder.</param>
    /// <param name="architecture">Their sizes.</param>
    /// <returns>What is said of activation, heads and pictures.</returns>
    /// <exception cref="UserErrorException">A description cannot be read, describes another model, or what is not supported; names file and
    /// key.</exception>
    public static ModelTraits Read(string path, ClipArchitecture architecture)
    {
        var folder = FolderOf(path);
        var config = DescribedPart.Read(folder, TransformersDescription.FileName);
        var openClip = DescribedPart.Read(folder, OpenClipDescription.FileName);
        var traits = (config is null ? ModelTraits.Unknown : TransformersDescription.Read(config, architecture)).With(
            openClip is null ? ModelTraits.Unknown : OpenClipDescription.Read(openClip, architecture),
            folder
        );

        return Preprocessing(path) is { } preprocessing
            ? traits.With(
                PreprocessingDescription.Read(
                    preprocessing,
                    architecture with
                    {
                        ImageResolution = traits.ImageResolution ?? architecture.ImageResolution,
                    }
                ),
                folder
            )
            : traits;
    }

    /// <summary>What transformers says next to weights about the preparation of pictures, or null.</summary>
    /// <param name="path">The weights: a file, an index, or a folder.</param>
    /// <exception cref="UserErrorException">The description cannot be read.</exception>
    public static DescribedPart? Preprocessing(string path) =>
        DescribedPart.Read(FolderOf(path), PreprocessingDescription.FileName)
        ?? DescribedPart.Read(FolderOf(path), PreprocessingDescription.NewFileName)?.Part("image_processor");

    private static string FolderOf(string path) => Directory.Exists(path) ? path : Path.GetDirectoryName(Path.GetFullPath(path))!;
}
