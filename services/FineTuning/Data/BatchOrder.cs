using ClipSae.Datasets;

namespace ClipSae.FineTuning.Data;

/// <summary>
/// Which items each step sees: every epoch is a permutation of its own, a pure function of seed and epoch, so a resumed training sees what
/// an uninterrupted one sees.
/// </summary>
public sealed class BatchOrder
{
    private readonly int _count;
    private readonly int _batch;
    private readonly long _seed;
    private readonly string _purpose;
    private readonly int[] _permutation;
    private long _epoch = -1;

    /// <param name="count">Items, at least 1.</param>
    /// <param name="batch">Items a step; a data set smaller than that is gone through again within the step.</param>
    /// <param name="purpose">Keeps orders of different data sets under one seed apart.</param>
    public BatchOrder(int count, int batch, long seed, string purpose = "order")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        (_count, _batch, _seed, _purpose) = (count, batch, seed, purpose);
        _permutation = new int[count];
    }

    /// <summary>The items of a step, from 0.</summary>
    public int[] Batch(long step)
    {
        var items = new int[_batch];
        for (var i = 0; i < _batch; i++)
        {
            var position = (step * _batch) + i;
            MoveTo(position / _count);
            items[i] = _permutation[position % _count];
        }

        return items;
    }

    private void MoveTo(long epoch)
    {
        if (epoch == _epoch)
        {
            return;
        }

        for (var i = 0; i < _count; i++)
        {
            _permutation[i] = i;
        }

        new SeededRandom(_seed, _purpose, epoch).Shuffle(_permutation);
        _epoch = epoch;
    }
}
