namespace ClipSae.Sae.Training;

/// <summary>
/// The order of the rows in each epoch, a pure function of (seed, epoch, position): a four-round Feistel permutation of the row numbers,
/// walked until it lands inside the range. It needs no memory, so any position of any epoch can be had at once, which is what exact resume
/// needs.
/// </summary>
public sealed class EpochOrder
{
    private readonly long _rows;
    private readonly ulong _seed;
    private readonly int _halfBits;

    /// <param name="rows">Number of rows, at least 1.</param>
    /// <param name="seed">Equal seeds give equal orders.</param>
    public EpochOrder(long rows, long seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        _rows = rows;
        _seed = (ulong)seed;
        while (1L << (2 * _halfBits) < rows)
        {
            _halfBits++;
        }
    }

    /// <summary>The row at this position of this epoch.</summary>
    /// <param name="epoch">From 0.</param>
    /// <param name="position">From 0, below the number of rows.</param>
    public long RowAt(long epoch, long position)
    {
        var key = Mix(_seed ^ Mix((ulong)epoch + 0x9E3779B97F4A7C15));
        var value = (ulong)position;
        do
        {
            value = Permute(value, key);
        } while (value >= (ulong)_rows);
        return (long)value;
    }

    private ulong Permute(ulong value, ulong key)
    {
        var mask = (1UL << _halfBits) - 1;
        var (left, right) = (value >> _halfBits, value & mask);
        for (var round = 1UL; round <= 4; round++)
        {
            (left, right) = (right, left ^ (Mix(right ^ Mix(key + round)) & mask));
        }

        return (left << _halfBits) | right;
    }

    /// <summary>SplitMix64's finaliser.</summary>
    private static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
