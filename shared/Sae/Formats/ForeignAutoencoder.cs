using ClipSae.Sae.Encoding;
using ClipSae.Tensors.Files;
using static TorchSharp.torch;

namespace ClipSae.Sae.Formats;

/// <summary>
/// Reads a sparse autoencoder that another program trained, or one of ClipSae's own; what it is, is recognised by its content.
/// </summary>
public static class ForeignAutoencoder
{
    /// <param name="path">A folder of SAELens or dictionary_learning, or a file of weights.</param>
    /// <exception cref="UserErrorException">It is none that is supported, or is damaged; names file and key.</exception>
    public static SparseAutoencoder Load(string path)
    {
        if (Directory.Exists(path))
        {
            return File.Exists(Path.Combine(path, SaeLensFormat.ConfigFile)) ? SaeLensFormat.Load(path)
                : File.Exists(Path.Combine(path, DictionaryLearningFormat.WeightsFile))
                    ? Load(Path.Combine(path, DictionaryLearningFormat.WeightsFile))
                : throw new UserErrorException(
                    $"{path}: contains no autoencoder: expected {SaeLensFormat.ConfigFile} with {SaeLensFormat.WeightsFile} "
                        + $"(SAELens), or {DictionaryLearningFormat.WeightsFile} (dictionary_learning)"
                );
        }

        if (Path.GetFileName(path) is SaeLensFormat.ConfigFile or SaeLensFormat.WeightsFile)
        {
            return SaeLensFormat.Load(Path.GetDirectoryName(Path.GetFullPath(path))!);
        }

        using var guard = no_grad();
        using var scope = NewDisposeScope();
        using var file = TensorFiles.Open(path);
        return SaeFile.IsOne(file.Metadata) ? SaeFile.Load(path)
            : OvercompleteFormat.IsOne(file) ? OvercompleteFormat.Load(file, path)
            : DictionaryLearningFormat.IsOne(file) ? DictionaryLearningFormat.Load(file, path)
            : throw new UserErrorException(
                $"{path}: holds no autoencoder that is known here (first key '{file.Entries.Keys.FirstOrDefault()}'); "
                    + "those of ClipSae, SAELens, dictionary_learning, sae-for-vlm and overcomplete are"
            );
    }
}
