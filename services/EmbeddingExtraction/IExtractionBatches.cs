using ClipSae.Datasets;

namespace ClipSae.EmbeddingExtraction;

/// <summary>
/// A shard's pictures in batches through the model and into the files of activations: on a processor one step after the other, on a GPU
/// side by side.
/// </summary>
internal interface IExtractionBatches : IDisposable
{
    /// <summary>Pictures that the batch of this number takes, counted from 0.</summary>
    int SizeOf(int batch);

    /// <summary>Decodes ahead and puts each readable picture into the next place of the batch that is being filled.</summary>
    /// <returns>Ids in order; with the reason where a picture cannot be read.</returns>
    IAsyncEnumerable<(string Id, string? Problem)> PlaceAsync(
        IEnumerable<(DatasetItem Item, ReadOnlyMemory<byte> ImageBytes)> items,
        CancellationToken cancel
    );

    /// <summary>Sends the batch on its way, and begins to fill the next.</summary>
    /// <param name="first">Place of its first picture in the shard's list of ids.</param>
    /// <param name="ids">Its pictures.</param>
    void Forward(int first, IReadOnlyList<string> ids);

    /// <summary>Waits until every batch is in the files.</summary>
    /// <returns>Smallest cosine of the first pictures' embeddings to those of the model in float32; null where the model itself computes in
    /// float32.</returns>
    double? Complete();
}
