using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Tokenizers;
using ClipSae.Results.Conversion;
using ClipSae.WeightConversion.Targets;
using ClipSae.WeightConversion.Weights;

namespace ClipSae.WeightConversion;

/// <summary>One conversion from beginning to end: the formats, the proof of each, the model card and where everything comes from.</summary>
/// <param name="Proofs">A proof for each part that loads by itself, by its path.</param>
/// <param name="GeometricLayers">Linear layers of the source that are in Geometric Parametrization.</param>
/// <param name="Files">Digest of every written file, by its path; model card and provenance are not among them.</param>
public sealed record Conversion(
    IReadOnlyDictionary<string, ForwardProof> Proofs,
    int GeometricLayers,
    IReadOnlyDictionary<string, string> Files
)
{
    /// <summary>Vision block before which the source appends a null token, which is in a file of its own; null where it has none.</summary>
    public int? NullTokenBlock { get; private init; }

    /// <summary>What is to be known of the null token, in one line; null if there is none.</summary>
    public string? NullTokenNote =>
        NullTokenBlock is { } block
            ? $"These weights are plain; the null token that the model was tuned with is in {NullToken.FileName}, "
                + $"and without it they are the base: {NullToken.LoaderNote(block)}."
            : null;

    /// <summary>Tokens of a text that the model reads.</summary>
    public int ContextLength { get; private init; }

    /// <summary>Which loaders take a longer text than OpenAI's models do, in one line; null where it is not longer.</summary>
    public string? ContextNote =>
        ContextLength > ClipArchitecture.VitL14.ContextLength
            ? $"The model reads texts of {ContextLength} tokens: transformers loads that, and ComfyUI as clip_l where it is 248. "
                + "Loaders that expect 77 positions refuse it; "
                + "'clipsae transplant' writes the first 77 into a text encoder that has as many."
            : null;

    /// <exception cref="UserErrorException">The checkpoint has a null token, and what is written from it would have none.</exception>
    internal static void RequireNoNullToken(ClipCheckpoint checkpoint, string name) =>
        UserErrorException.ThrowIf(
            checkpoint.Keys.Any(key => key.StartsWith(ClipKeys.NullToken, StringComparison.Ordinal)),
            $"{name}: has a null token, which other weights cannot use; "
                + $"convert the file first, and use the plain weights and {NullToken.FileName} that this gives"
        );

    /// <summary>The model card's file.</summary>
    public const string CardName = "README.md";

    /// <summary>The file that says where the weights come from and how far they are from their source.</summary>
    public const string ProvenanceName = "provenance.json";

    /// <summary>
    /// Writes and proves all formats that the options name, next to what a folder holds, and moves them into their places when every one is
    /// proved: if anything fails, weights, model card and provenance of an earlier conversion are as they were.
    /// </summary>
    /// <param name="folder">Where the formats are to be; created if missing.</param>
    /// <param name="tokenizer">The model's tokenizer, where it is known.</param>
    /// <exception cref="UserErrorException">The source is unusable, a format does not fit it, a written model is not the source, or a file
    /// cannot be put in its place.</exception>
    public static Conversion Replace(
        ConversionSource source,
        string folder,
        ConversionOptions options,
        ClipTokenizer? tokenizer = null,
        CancellationToken cancel = default
    )
    {
        var made = AtomicFile.TemporaryFor(Path.Combine(folder, "convert"));
        try
        {
            var conversion = Run(source, made, options, tokenizer, written: null, cancel);
            cancel.ThrowIfCancellationRequested();
            Move(made, folder);
            return conversion;
        }
        finally
        {
            if (Directory.Exists(made))
            {
                Directory.Delete(made, recursive: true);
            }
        }
    }

    /// <summary>
    /// Writes and proves all formats that the options name, in a folder that holds nothing of worth: what fails is left there.
    /// </summary>
    /// <param name="folder">Where to write; created if missing.</param>
    /// <param name="tokenizer">The model's tokenizer, where it is known.</param>
    /// <param name="written">Called after each tensor with the number written and the number in all.</param>
    /// <exception cref="UserErrorException">The source is unusable, a format does not fit it, or a written model is not the
    /// source.</exception>
    public static Conversion Run(
        ConversionSource source,
        string folder,
        ConversionOptions options,
        ClipTokenizer? tokenizer = null,
        Action<int, int>? written = null,
        CancellationToken cancel = default
    )
    {
        Directory.CreateDirectory(folder);
        var targets = options.Targets;
        var layers = WeightConverter.Convert(source, folder, targets, options.Dtype, tokenizer, written, cancel);
        var proofs = ForwardProofs.Run(source, folder, targets, options, cancel);
        foreach (var (path, proof) in proofs)
        {
            proof.Require(source.Name, path, options.Dtype);
        }

        var (block, context) = WriteNullToken(source, folder);
        var conversion = new Conversion(proofs, layers, Digests(folder, targets, block is null ? [] : [NullToken.FileName], cancel))
        {
            NullTokenBlock = block,
            ContextLength = context,
        };
        conversion.Describe(source, folder, options);
        return conversion;
    }

    /// <summary>Writes what is no part of plain weights into a file of its own.</summary>
    private static (int? Block, int Context) WriteNullToken(ConversionSource source, string folder)
    {
        using var checkpoint = source.Open();
        using var token = checkpoint.ReadNullToken();
        token?.Save(Path.Combine(folder, NullToken.FileName));
        return (token?.Block, checkpoint.Architecture.ContextLength);
    }

    private static void Move(string made, string folder)
    {
        string[] files =
        [
            .. Directory
                .EnumerateFiles(made, "*", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(made, file))
                .Order(StringComparer.Ordinal),
        ];
        try
        {
            // Seen for all before the first is moved.
            if (
                files.FirstOrDefault(file =>
                    Directory.Exists(Path.Combine(folder, file)) || File.Exists(Path.GetDirectoryName(Path.Combine(folder, file)))
                ) is
                { } barred
            )
            {
                throw new UserErrorException(
                    $"{Path.Combine(folder, barred)}: cannot be written there, because a folder of that name, "
                        + "or a file in place of its folder, already exists; choose another folder"
                );
            }

            foreach (var file in files)
            {
                var target = Path.Combine(folder, file);
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Move(Path.Combine(made, file), target, overwrite: true);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"{folder}: the converted files cannot be written there: {failure.Message}", failure);
        }
    }

    private void Describe(ConversionSource source, string folder, ConversionOptions options)
    {
        using var checkpoint = source.Open();
        var provenance = new JsonObject
        {
            ["tool"] = "clipsae",
            ["version"] = typeof(Conversion).Assembly.GetName().Version!.ToString(3),
            ["source"] = new JsonObject
            {
                ["name"] = source.Name,
                ["files"] = Node(source.FileDigests()),
                ["metadata"] = Node(checkpoint.Metadata),
            },
            ["parameters"] = Node(options with { Tolerance = options.EffectiveTolerance }),
            ["geometricLayers"] = GeometricLayers,
            ["files"] = Node(Files),
            ["proofs"] = Node(Proofs),
        };
        JsonDescription.Write(folder, ProvenanceName, provenance);
        AtomicFile.Write(
            Path.Combine(folder, CardName),
            Encoding.UTF8.GetBytes(ModelCard.Write(source, checkpoint.Architecture, options, this))
        );
    }

    private static JsonNode? Node<T>(T value) => JsonSerializer.SerializeToNode(value, ContractJson.Options);

    private static SortedDictionary<string, string> Digests(
        string folder,
        IEnumerable<ConversionTarget> targets,
        IEnumerable<string> others,
        CancellationToken cancel
    )
    {
        var digests = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var loadable in targets.SelectMany(target => target.Loadable).Concat(others))
        {
            var path = Path.Combine(folder, loadable);
            foreach (var file in Directory.Exists(path) ? Directory.EnumerateFiles(path) : [path])
            {
                cancel.ThrowIfCancellationRequested();
                digests[Path.GetRelativePath(folder, file).Replace('\\', '/')] = WrittenDigests.Of(file);
            }
        }

        return digests;
    }
}
