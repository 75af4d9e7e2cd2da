using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Threading.Channels;
using ClipSae.Artifacts;
using ClipSae.Datasets.Sources;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClipSae.Datasets.Import;

/// <summary>
/// Reads a folder of captioned pictures and packs it into shards and a manifest in the artifact store. Pictures are read and checked in
/// parallel and packed in order; whatever cannot be used is named in the manifest and the log.
/// </summary>
public static class DatasetImporter
{
    private const int ProblemsLogged = 20;
    private const int ReasonsNamed = 4;

    /// <param name="folder">The pictures' folder, with captions in any of the forms that <see cref="ImportOptions"/> and the README
    /// name.</param>
    /// <param name="progress">Told how many pictures have been read.</param>
    /// <param name="scratch">Where shards are built; null takes the system's temporary folder.</param>
    /// <param name="expected">Told once how many there are.</param>
    /// <exception cref="UserErrorException">No folder, no captions, nothing usable, one class where several are needed, or too many
    /// problems.</exception>
    public static async Task<ImportedDataset> ImportAsync(
        string folder,
        ImportOptions options,
        IArtifactStore store,
        ILogger? log = null,
        IProgress<int>? progress = null,
        string? scratch = null,
        Action<int>? expected = null,
        CancellationToken cancel = default
    )
    {
        log ??= NullLogger.Instance;
        var name = options.Name ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        var source = CaptionSource.Find(folder, options);
        var collected = new RowCollector(source.Home, options);
        collected.Collect(source.Rows());
        if (collected.Rows == 0)
        {
            throw new UnsuitableDatasetException($"The data set {folder} is empty: its caption file names no picture.");
        }

        expected?.Invoke(collected.Items.Count);
        await using var packer = new ShardPacker(store, options, scratch ?? Path.GetTempPath());
        var (pictures, captions) = (new HashSet<UInt128>(), new HashSet<string>(StringComparer.Ordinal));
        void Look(DatasetItem item, UInt128 digest)
        {
            pictures.Add(digest);
            captions.UnionWith(item.Captions);
        }

        var items = await PackAsync(collected, options, packer, Look, progress, cancel);
        Report(collected.Problems, name, log);
        Check(folder, collected, items, options);
        await packer.CloseAsync(cancel);
        var manifest = Describe(name, collected, items, packer.Described);
        var reference = await store.PutBytesAsync(manifest.Serialize(), "manifest", DatasetManifest.MediaType, cancel);
        return new ImportedDataset(
            reference,
            packer.Shards,
            manifest,
            new DatasetVariety(items.Count, pictures.Count, captions.Count),
            pictures
        );
    }

    private static async Task<List<ManifestItem>> PackAsync(
        RowCollector collected,
        ImportOptions options,
        ShardPacker packer,
        Action<DatasetItem, UInt128> look,
        IProgress<int>? progress,
        CancellationToken cancel
    )
    {
        var loading = Channel.CreateBounded<Task<(byte[] Bytes, UInt128 Digest, string? Problem)>>(options.ReadAhead);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var feeding = FeedAsync(collected.Items, options, loading.Writer, stop.Token);
        var packed = new List<ManifestItem>(collected.Items.Count);
        try
        {
            foreach (var (item, _) in collected.Items)
            {
                var (bytes, digest, problem) = await await loading.Reader.ReadAsync(cancel);
                if (problem is not null)
                {
                    collected.Problems.Add(new ImportProblem(ImportProblemKind.UnreadableImage, item.Id, problem));
                    continue;
                }

                look(item, digest);
                await packer.AddAsync(item, bytes, cancel);
                packed.Add(new ManifestItem(item.Id, packer.Current, item.Label));
                progress?.Report(packed.Count);
            }
        }
        finally
        {
            await stop.CancelAsync();
            await feeding.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        progress?.Report(packed.Count);
        return packed;
    }

    private static async Task FeedAsync(
        List<(DatasetItem Item, string File)> items,
        ImportOptions options,
        ChannelWriter<Task<(byte[], UInt128, string?)>> writer,
        CancellationToken stop
    )
    {
        foreach (var (_, file) in items)
        {
            // The slot is taken before the reading starts, so no more pictures are in memory than the channel holds.
            await writer.WaitToWriteAsync(stop);
            await writer.WriteAsync(Task.Run(() => Digested(Load(file, options)), stop), stop);
        }

        writer.Complete();
    }

    private static (byte[] Bytes, UInt128 Digest, string? Problem) Digested((byte[] Bytes, string? Problem) loaded) =>
        (loaded.Bytes, loaded.Problem is null ? DigestOf(loaded.Bytes) : 0, loaded.Problem);

    /// <summary>What a picture's bytes are known by in <see cref="ImportedDataset.Images"/>.</summary>
    public static UInt128 DigestOf(ReadOnlySpan<byte> picture) => BinaryPrimitives.ReadUInt128LittleEndian(SHA256.HashData(picture));

    private static (byte[] Bytes, string? Problem) Load(string file, ImportOptions options)
    {
        try
        {
            // Asked before opening: a pipe or device has no length, and opening it could block for ever.
            var length = new FileInfo(file).Length;
            if (length == 0 || length > options.Limits.MaxFileBytes)
            {
                return ([], length == 0 ? "empty, or no regular file" : $"file of {length} bytes (limit {options.Limits.MaxFileBytes})");
            }

            return Checked(File.ReadAllBytes(file), options);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return ([], error.Message);
        }
    }

    // The header says nearly all; what looks cut, or must be rewritten, is decoded.
    private static (byte[] Bytes, string? Problem) Checked(byte[] bytes, ImportOptions options)
    {
        if (!ImageDecoder.TryReadSize(bytes, options.Limits, out _, out var problem))
        {
            return (bytes, problem);
        }

        var mayDiffer = options.ConvertFirst && ImageDecoder.MayKeepOtherMode(bytes);
        if (!mayDiffer && ImageKind.IsComplete(bytes))
        {
            return (bytes, null);
        }

        if (!ImageDecoder.TryRead(bytes, options.Limits, out var picture, out problem))
        {
            return (bytes, problem);
        }

        return (mayDiffer && picture.Mode != PixelMode.Rgb ? PngEncoder.Encode(picture.ToRgb()) : bytes, null);
    }

    private static void Report(List<ImportProblem> problems, string name, ILogger log)
    {
        foreach (var problem in problems.Take(ProblemsLogged))
        {
            log.LogWarning("{Dataset}: {Kind} at {Where}: {Detail}", name, problem.Kind, problem.Where, problem.Detail);
        }

        if (problems.Count > ProblemsLogged)
        {
            log.LogWarning(
                "{Dataset}: {Count} more problems, all named in the manifest; in all {Reasons}",
                name,
                problems.Count - ProblemsLogged,
                Named(problems)
            );
        }
    }

    private static void Check(string folder, RowCollector collected, List<ManifestItem> items, ImportOptions options)
    {
        var serious = collected.Problems.Where(problem => problem.Kind != ImportProblemKind.Duplicate).ToList();
        UserErrorException.ThrowIf(
            items.Count == 0 || serious.Count > options.MaxProblemShare * collected.Rows,
            $"{serious.Count} of {collected.Rows} rows of the data set {folder} cannot be used ({Named(serious)}). "
                + $"Fix them, or allow a larger share (now {options.MaxProblemShare:P0})."
        );

        if (options.LabelsNeeded && items.Select(item => item.Label).Distinct().Count() < options.MinClasses)
        {
            throw new UnsuitableDatasetException(
                $"The data set {folder} has one class (\"{items[0].Label}\"); classification needs at least two."
            );
        }
    }

    // The commonest reasons with their number: of a folder of TIFF and HEIC, each kind is named.
    private static string Named(List<ImportProblem> problems)
    {
        var reasons = problems
            .GroupBy(problem => problem.Detail, StringComparer.Ordinal)
            .OrderByDescending(group => group.Count())
            .ThenBy(group => group.Key, StringComparer.Ordinal)
            .ToArray();
        var named = reasons
            .Take(ReasonsNamed)
            .Select(group =>
                group.Count() == 1 ? $"{group.First().Where}: {group.Key}" : $"{group.Count()} ×, first {group.First().Where}: {group.Key}"
            );
        return string.Join("; ", named) + (reasons.Length > ReasonsNamed ? "; …" : "");
    }

    private static DatasetManifest Describe(
        string name,
        RowCollector collected,
        List<ManifestItem> items,
        IReadOnlyList<ManifestShard> shards
    ) =>
        new(
            DatasetManifest.CurrentFormat,
            name,
            collected.Rows,
            items,
            new SortedDictionary<string, int>(
                items
                    .Where(item => item.Label is not null)
                    .GroupBy(item => item.Label!)
                    .ToDictionary(group => group.Key, group => group.Count()),
                StringComparer.Ordinal
            ),
            new SortedDictionary<string, int>(
                collected.Problems.GroupBy(problem => problem.Kind).ToDictionary(group => group.Key, group => group.Count()),
                StringComparer.Ordinal
            ),
            collected.Problems,
            shards
        );
}
