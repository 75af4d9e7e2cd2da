using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Sae.Training;

/// <summary>
/// The batches of a training, normalised, on the device where they are used. On a GPU that has room all rows are there from the first batch
/// on; where it has not, the next batches are read while the device computes and go up from page-locked memory. What a batch holds depends
/// on none of this.
/// </summary>
internal sealed class BatchFeed : IDisposable
{
    /// <summary>
    /// Share of a card's memory, that was free at the start, which the rows may take: state, product and moments of the largest
    /// autoencoders need the rest.
    /// </summary>
    private const double ResidentShare = 0.4;

    private const int Ahead = 2;
    private const int UploadedAtOnce = 65_536;

    private readonly IActivationRows _data;
    private readonly SaeNormalization _normalization;
    private readonly EpochOrder _order;
    private readonly Device _device;
    private readonly int _batchSize;
    private readonly long _batchesPerEpoch;
    private readonly Queue<(long Step, Task<Tensor> Rows)> _coming = [];
    private readonly Tensor? _mean;
    private readonly Tensor? _resident;

    /// <param name="data">Stays the caller's, as the normalisation does.</param>
    public BatchFeed(IActivationRows data, SaeNormalization normalization, EpochOrder order, int batchSize, Device device)
    {
        (_data, _normalization, _order, _device, _batchSize) = (data, normalization, order, device, batchSize);
        _batchesPerEpoch = data.Rows / batchSize;
        if (device.type == TorchSharp.DeviceType.CUDA)
        {
            _mean = normalization.Mean.to(device).DetachFromDisposeScope();
            _resident =
                (double)data.Rows * data.Width * sizeof(float) <= ResidentShare * (Compute.FreeBytes(device.ToString()) ?? 0)
                    ? Upload()
                    : null;
        }
    }

    /// <summary>
    /// The batch of a step, [batch, d_in], normalised: the next rows in the epoch's order; a last batch that would be smaller is left out,
    /// its rows come up in other epochs.
    /// </summary>
    public Tensor Of(long step)
    {
        if (_device.type != TorchSharp.DeviceType.CUDA)
        {
            return _normalization.Apply(_data.Read(Rows(step))).to(_device);
        }

        using var scope = NewDisposeScope();
        var batch = _resident is null
            ? Normalized(Read(step).to(_device, non_blocking: true))
            : _resident.index_select(0, tensor(Rows(step), device: _device));
        return batch.MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        foreach (var (_, rows) in _coming)
        {
            // A read that failed is of no interest to anyone any more.
            Task.WaitAny(rows);
            if (rows.IsCompletedSuccessfully)
            {
                rows.Result.Dispose();
            }
        }

        _mean?.Dispose();
        _resident?.Dispose();
    }

    /// <summary>The step's rows in page-locked memory; the following steps' are started.</summary>
    private Tensor Read(long step)
    {
        if (_coming.Count > 0 && _coming.Peek().Step != step)
        {
            throw new InvalidOperationException($"batches are read in order: step {_coming.Peek().Step} comes next, not {step}");
        }

        for (var next = _coming.Count == 0 ? step : _coming.Last().Step + 1; next <= step + Ahead; next++)
        {
            var wanted = next;
            _coming.Enqueue((wanted, Task.Run(() => Pinned(_data.Read(Rows(wanted))))));
        }

        return _coming.Dequeue().Rows.GetAwaiter().GetResult();
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
        var (epoch, batch) = Math.DivRem(step, _batchesPerEpoch);
        var rows = new long[_batchSize];
        for (var i = 0; i < _batchSize; i++)
        {
            rows[i] = _order.RowAt(epoch, (batch * _batchSize) + i);
        }

        return rows;
    }

    private Tensor Upload()
    {
        using var scope = NewDisposeScope();
        var all = empty([_data.Rows, _data.Width], device: _device);
        for (long start = 0; start < _data.Rows; start += UploadedAtOnce)
        {
            using var step = NewDisposeScope();
            var count = (int)Math.Min(UploadedAtOnce, _data.Rows - start);
            all.narrow(0, start, count).copy_(Normalized(_data.ReadRange(start, count).to(_device)));
        }

        return all.DetachFromDisposeScope();
    }

    /// <summary>As <see cref="SaeNormalization.Apply"/>, on the device.</summary>
    private Tensor Normalized(Tensor x) => (x - _mean!).MultiplyInPlace(_normalization.Scale);
}
