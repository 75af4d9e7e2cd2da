using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;
using TorchSharp;

namespace ClipSae.EmbeddingExtraction;

/// <summary>
/// Runs captions through the text tower and writes what passes the hook points, of each caption up to and with its end: never padding.
/// </summary>
/// <param name="loaded">Stays the caller's.</param>
internal sealed class CaptionExtractor(LoadedModel loaded, ClipTokenizer tokenizer, ExtractionOptions options)
{
    /// <param name="ids">Ids of the shard's images that were read, in order.</param>
    /// <param name="captions">Captions by id.</param>
    /// <param name="folder">Where the files go.</param>
    /// <param name="progress">Called with the number of captions done and of all.</param>
    public IReadOnlyList<ExtractedPoint> Run(
        IReadOnlyList<string> ids,
        IReadOnlyDictionary<string, IReadOnlyList<string>> captions,
        string folder,
        Action<int, int> progress,
        CancellationToken cancel
    )
    {
        var architecture = loaded.Model.Architecture;
        var outputs = options
            .PointsOf(architecture, isText: true)
            .Select(point => (Point: point, File: new CaptionFile(folder, point, architecture, options)))
            .ToList();
        try
        {
            var (done, total) = (0, ids.Sum(id => captions[id].Count));
            foreach (var batch in TokenizedCaption.All(ids, captions, tokenizer, architecture.ContextLength).Chunk(BatchSize))
            {
                cancel.ThrowIfCancellationRequested();
                using var scope = torch.NewDisposeScope();
                using var noGrad = torch.no_grad();
                var hooks = new Hooks();
                outputs.ForEach(output => hooks.Capture(output.Point));
                loaded.Model.RunText(torch.stack([.. batch.Select(caption => torch.tensor(caption.Tokens))]).to(loaded.Device), hooks);
                outputs.ForEach(output => output.File.Append(batch, hooks.Captured(output.Point)));
                progress(done += batch.Length, total);
            }

            outputs.ForEach(output => output.File.Complete());
            return [.. outputs.Select(output => new ExtractedPoint(output.Point, output.File.Path, output.File.Rows, output.File.Width))];
        }
        finally
        {
            outputs.ForEach(output => output.File.Dispose());
        }
    }

    private int BatchSize =>
        options.BatchSize > 0 ? options.BatchSize
        : loaded.Device.type == DeviceType.CUDA ? ExtractionOptions.MaxBatch
        : ExtractionOptions.ProcessorBatch;
}
