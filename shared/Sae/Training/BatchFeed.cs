using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Sae.Training;

/// <summary>
/// The batches of a training, normalised, on the device where they are used. On a GPU that has room all rows lie there from the first batch on; where it has
/// not, the next batches are read while the device computes and go up from page-locked memory. What a batch holds depends on none of this.
/// </summary>
internal sealed class BatchFeed : IDisposable
{
    /// <summary>Share of a card's memory, that was free at the start, which the rows may take: state, product and moments of the largest autoencoders need the rest.</summary>
    private const double ResidentShare = 0.4;

    private const int Ahead = 2;
    private const int UploadedAtOnce = 65_536;

    private readonly IActivationRows data;
    private readonly SaeNormalization normalization;
    private readonly EpochOrder order;
    private readonly Device device;
    private readonly int batchSize;
    private readonly long batchesPerEpoch;
    private readonly Queue<(long Step, Task<Tensor> Rows)> coming = [];
    private readonly Tensor? mean;
    private readonly Tensor? resident;

    /// <param name="data">Stays the caller's, as the normalisation does.</param>
    public BatchFeed(IActivationRows data, SaeNormalization normalization, EpochOrder order, int batchSize, Device device)
    {
        (this.data, this.normalization, this.order, this.device, this.batchSize) = (data, normalization, order, device, batchSize);
        batchesPerEpoch = data.Rows / batchSize;
        if (device.type == TorchSharp.DeviceType.CUDA)
        {
            mean = normalization.Mean.to(device).DetachFromDisposeScope();
            resident = (double)data.Rows * data.Width * sizeof(float) <= ResidentShare * (Compute.FreeBytes(device.ToString()) ?? 0) ? Upload() : null;
        }
    }

    /// <summary>The batch of a step, [batch, d_in], normalised: the next rows in the epoch's order; a last batch that would be smaller is left out, its rows come up in other epochs.</summary>
    public Tensor Of(long step)
    {
        if (device.type != TorchSharp.DeviceType.CUDA)
        {
            return normalization.Apply(data.Read(Rows(step))).to(device);
        }

        using var scope = NewDisposeScope();
        var batch = resident is null ? Normalized(Read(step).to(device, non_blocking: true)) : resident.index_select(0, tensor(Rows(step), device: device));
        return batch.MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        foreach (var (_, rows) in coming)
        {
            // A read that failed is of no interest to anyone any more.
            Task.WaitAny(rows);
            if (rows.IsCompletedSuccessfully)
            {
                rows.Result.Dispose();
            }
        }

        mean?.Dispose();
        resident?.Dispose();
    }

    /// <summary>The step's rows in page-locked memory; the following steps' are begun.</summary>
    private Tensor Read(long step)
    {
        if (coming.Count > 0 && coming.Peek().Step != step)
        {
            throw new InvalidOperationException($"batches are read in order: step {coming.Peek().Step} comes next, not {step}");
        }

        for (var next = coming.Count == 0 ? step : coming.Last().Step + 1; next <= step + Ahead; next++)
        {
            var wanted = next;
            coming.Enqueue((wanted, Task.Run(() => Pinned(data.Read(Rows(wanted))))));
        }

        return coming.Dequeue().Rows.GetAwaiter().GetResult();
    }

    private static Tensor Pinned(Tensor rows)
    {
        using (rows)
        {
            return rows.pin_memory().DetachFromDisposeScope();
        }
    }

    private long[] Rows(long step)
    {
        var (epoch, batch) = Math.DivRem(step, batchesPerEpoch);
        var rows = new long[batchSize];
        for (var i = 0; i < batchSize; i++)
        {
            rows[i] = order.RowAt(epoch, (batch * batchSize) + i);
        }

        return rows;
    }

    private Tensor Upload()
    {
        using var scope = NewDisposeScope();
        var all = empty([data.Rows, data.Width], device: device);
        for (long start = 0; start < data.Rows; start += UploadedAtOnce)
        {
            using var step = NewDisposeScope();
            var count = (int)Math.Min(UploadedAtOnce, data.Rows - start);
            all.narrow(0, start, count).copy_(Normalized(data.ReadRange(start, count).to(device)));
        }

        return all.DetachFromDisposeScope();
    }

    /// <summary>As <see cref="SaeNormalization.Apply"/>, on the device.</summary>
    private Tensor Normalized(Tensor x) => (x - mean!).MultiplyInPlace(normalization.Scale);
}
