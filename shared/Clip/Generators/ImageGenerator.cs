using ClipSae.Artifacts;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.Tensors;
using ClipSae.Tensors.Files;
using TorchSharp;

namespace ClipSae.Clip.Generators;

/// <summary>
/// The text encoders of CLIP in an image generator: a single file of safetensors (Stable Diffusion 1, 2, SDXL, 3, Flux), a text encoder's
/// own file, or a folder of diffusers. Everything else in it is carried over byte for byte.
/// </summary>
public sealed class ImageGenerator : IDisposable
{
    private const string EncoderFolders = "text_encoder*";
    private const string TokenEmbedding = "token_embedding.weight";

    private readonly Dictionary<string, SafetensorsFile> _files = new(StringComparer.Ordinal);
    private readonly string _path;

    private ImageGenerator(string path) => _path = path;

    /// <summary>The text encoders of CLIP that were found; one in several precisions is there once for each file.</summary>
    public IReadOnlyList<GeneratorTextEncoder> Encoders { get; private set; } = [];

    /// <summary>Whether it is a folder of diffusers.</summary>
    public bool IsFolder => Directory.Exists(_path);

    /// <summary>Opens a generator and finds its text encoders.</summary>
    /// <exception cref="UserErrorException">It cannot be read, is no file of safetensors, or has no text encoder of CLIP; names the
    /// file.</exception>
    public static ImageGenerator Open(string path)
    {
        var generator = new ImageGenerator(path);
        try
        {
            generator.Encoders = [.. generator.IsFolder ? generator.InFolders() : generator.InFile()];
            return generator.Encoders.Count > 0
                ? generator
                : throw new UserErrorException(
                    $"{path}: contains no text encoder of CLIP; "
                        + "name the single file or the diffusers folder of an image generator, or the text encoder's own file"
                );
        }
        catch (UserErrorException)
        {
            generator.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Writes the generator with other weights in place of one of its text encoders: everything else stays as it is, byte for byte.
    /// </summary>
    /// <param name="encoder">Name of the encoder.</param>
    /// <param name="model">Sizes of the model that the weights are of.</param>
    /// <param name="weight">Gives a weight under OpenAI's key, in the sizes of the generator's; the caller owns it.</param>
    /// <param name="target">File or folder to write; it is there whole or not at all.</param>
    /// <returns>Tensors that were written.</returns>
    /// <exception cref="UserErrorException">A weight does not fit the file's element type, or the disk is full or takes no
    /// writing.</exception>
    public int Write(string encoder, ClipArchitecture model, Func<string, torch.Tensor> weight, string target, CancellationToken cancel)
    {
        var temporary = AtomicFile.TemporaryFor(target);
        try
        {
            Copy(_path, temporary, cancel);
            var tensors = Encoders
                .Where(one => one.Name == encoder)
                .Sum(one => Replace(one, model, weight, Path.Combine(temporary, one.File), cancel));
            if (IsFolder)
            {
                Directory.Move(temporary, target);
            }
            else
            {
                File.Move(temporary, target, overwrite: true);
            }

            return tensors;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw (Exception?)DiskErrors.Explain(failure, target)
                ?? new UserErrorException($"{target}: cannot be written: {failure.Message}", failure);
        }
        finally
        {
            File.Delete(temporary);
            if (Directory.Exists(temporary))
            {
                Directory.Delete(temporary, recursive: true);
            }
        }
    }

    public void Dispose()
    {
        foreach (var file in _files.Values)
        {
            file.Dispose();
        }
    }

    private IEnumerable<GeneratorTextEncoder> InFile()
    {
        var file = Read("");
        var places = TextEncoderPlace.All.Where(place => file.Entries.Keys.Any(place.Holds)).ToList();
        if (places.Count > 0)
        {
            return places.Select(place => new GeneratorTextEncoder(place.Name, "", WeightParts.Find(file, place, _path), place.Activation));
        }

        return HoldsTokens(file) ? [Alone(file, "text_encoder", "", activation: null)] : [];
    }

    private IEnumerable<GeneratorTextEncoder> InFolders() =>
        from folder in Directory.EnumerateDirectories(_path, EncoderFolders).Order(StringComparer.Ordinal)
        from path in Directory.EnumerateFiles(folder, "*.safetensors").Order(StringComparer.Ordinal)
        let relative = Path.GetRelativePath(_path, path)
        let file = Read(relative)
        where HoldsTokens(file)
        select Alone(file, Path.GetFileName(folder), relative, TransformersDescription.TextActivation(folder));

    private GeneratorTextEncoder Alone(SafetensorsFile file, string name, string relative, MlpActivation? activation)
    {
        var parts = WeightParts.Find(file, Path.Combine(_path, relative)).Parts;
        return parts.Keys.Any(key => key.StartsWith("visual.", StringComparison.Ordinal))
            ? throw new UserErrorException(
                $"{Path.Combine(_path, relative)}: is a whole CLIP, not an image generator or a text encoder; "
                    + "'clipsae convert' writes it in other formats"
            )
            : new GeneratorTextEncoder(name, relative, parts, activation);
    }

    private SafetensorsFile Read(string relative)
    {
        var path = relative.Length == 0 ? _path : Path.Combine(_path, relative);
        if (!_files.TryGetValue(relative, out var file))
        {
            var opened = TensorFiles.Open(path);
            if (opened is not SafetensorsFile safetensors)
            {
                opened.Dispose();
                throw new UserErrorException(
                    $"{path}: is a PyTorch file; save the generator as safetensors first, because only such a file can be written here"
                );
            }

            _files.Add(relative, file = safetensors);
        }

        return file;
    }

    private static bool HoldsTokens(SafetensorsFile file) =>
        file.Entries.Keys.Any(key => key.EndsWith(TokenEmbedding, StringComparison.Ordinal));

    private int Replace(
        GeneratorTextEncoder encoder,
        ClipArchitecture model,
        Func<string, torch.Tensor> weight,
        string path,
        CancellationToken cancel
    )
    {
        var count = 0;
        using var target = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.None);
        foreach (var key in encoder.Keys(model))
        {
            cancel.ThrowIfCancellationRequested();
            using var scope = torch.NewDisposeScope();
            foreach (var (entry, tensor) in encoder.Write(key, weight(key), _files[encoder.File].Entries))
            {
                using (tensor)
                {
                    RandomAccess.Write(target, tensor.bytes, entry.Offset);
                    count++;
                }
            }
        }

        RandomAccess.FlushToDisk(target);
        return count;
    }

    private static void Copy(string source, string target, CancellationToken cancel)
    {
        if (File.Exists(source))
        {
            cancel.ThrowIfCancellationRequested();
            File.Copy(source, target);
            // A copy keeps the rights of its source, and downloads are often read-only.
            File.SetAttributes(target, File.GetAttributes(target) & ~FileAttributes.ReadOnly);
            return;
        }

        Directory.CreateDirectory(target);
        foreach (
            var entry in Directory
                .EnumerateFileSystemEntries(source)
                .Where(entry => !AtomicFile.IsTemporary(entry))
                .Order(StringComparer.Ordinal)
        )
        {
            Copy(entry, Path.Combine(target, Path.GetFileName(entry)), cancel);
        }
    }
}
