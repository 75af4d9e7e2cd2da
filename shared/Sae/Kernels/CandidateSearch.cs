using System.Numerics;
using System.Runtime.Intrinsics;

namespace ClipSae.Sae.Kernels;

/// <summary>
/// Finds, in a row of approximate pre-activations, all latents that can be among the k largest exact ones. With |approximate − exact| ≤ eⱼ
/// the k-th largest of the lower ends (approximate − e) is at most the k-th largest exact value, so a latent whose upper end (approximate +
/// e) is below that is out for certain; all others are candidates. Nothing is ever missed; a loose bound costs time, not truth.
/// </summary>
internal sealed unsafe class CandidateSearch
{
    private const int Lanes = 16;

    // Eight lane-wise maxima for every latent wanted: their k-th largest is then close to the true one.
    private const int MaximaPerWanted = 8;

    private readonly int _latents;
    private readonly int _k;
    private readonly int _columns;
    private readonly float[] _maxima;
    private readonly float[] _lower;
    private readonly float[] _upper;
    private readonly float[] _sorted;
    private readonly int[] _candidates;

    public CandidateSearch(int latents, int k)
    {
        (_latents, _k) = (latents, k);
        var vectors = Math.Max(
            1,
            Math.Min((int)BitOperations.RoundUpToPowerOf2((uint)(MaximaPerWanted * k)) / Lanes, latents / (2 * Lanes))
        );
        _columns = vectors * Lanes;
        _maxima = PinnedArray.Create<float>(_columns);
        _lower = PinnedArray.Create<float>(latents + Lanes);
        _upper = PinnedArray.Create<float>(latents + Lanes);
        _sorted = PinnedArray.Create<float>(latents + Lanes);
        _candidates = PinnedArray.Create<int>(latents + Lanes);
    }

    /// <summary>The candidates of the last row searched.</summary>
    public int* Candidates => PinnedArray.Address(_candidates);

    /// <param name="row">Approximate products of one row with each latent, without bias: float32, or bfloat16 as its 16 bits.</param>
    /// <param name="bias">b_enc [latents].</param>
    /// <param name="norms">‖W_enc[j]‖ [latents].</param>
    /// <param name="slack">Error of a product is at most slack·norms[j] + relative·|product|.</param>
    /// <returns>How many candidates there are, in rising order.</returns>
    public int Find(void* row, bool bfloat16, float* bias, float* norms, float slack, float relative)
    {
        // Only positive activations survive the ReLU, so zero is a floor even where fewer than k are.
        var floor = _columns >= _k ? Math.Max(0, CoarseFloor(row, bfloat16, bias, norms, slack, relative)) : 0;
        var found = Collect(row, bfloat16, bias, norms, slack, relative, floor);
        if (found > _k)
        {
            new ReadOnlySpan<float>(_lower, 0, found).CopyTo(_sorted);
            floor = Math.Max(floor, Selection.KthLargest(PinnedArray.Address(_sorted), found, _k));
        }

        var kept = 0;
        for (var i = 0; i < found; i++)
        {
            if (_upper[i] >= floor)
            {
                _candidates[kept++] = _candidates[i];
            }
        }

        return kept;
    }

    /// <summary>The k-th largest of lane-wise maxima of the lower ends: k different latents are at or above it.</summary>
    private float CoarseFloor(void* row, bool bfloat16, float* bias, float* norms, float slack, float relative)
    {
        new Span<float>(_maxima).Fill(float.NegativeInfinity);
        var largest = PinnedArray.Address(_maxima);
        var (slacks, factor) = (Vector512.Create(-slack), Vector512.Create(relative));
        for (var block = 0; block + _columns <= _latents; block += _columns)
        {
            for (var i = 0; i < _columns; i += Lanes)
            {
                var at = block + i;
                var product = Load(row, bfloat16, at);
                var low = Vector512.FusedMultiplyAdd(slacks, Vector512.Load(norms + at), product + Vector512.Load(bias + at));
                low = low - (Vector512.Abs(product) * factor);
                Vector512.Max(Vector512.Load(largest + i), low).Store(largest + i);
            }
        }

        return Selection.KthLargest(largest, _columns, _k);
    }

    private int Collect(void* row, bool bfloat16, float* bias, float* norms, float slack, float relative, float floor)
    {
        var (slacks, factor, floors) = (Vector512.Create(slack), Vector512.Create(relative), Vector512.Create(floor));
        var (found, at) = (0, 0);
        for (; at + Lanes <= _latents; at += Lanes)
        {
            var product = Load(row, bfloat16, at);
            var middle = product + Vector512.Load(bias + at);
            var error = Vector512.FusedMultiplyAdd(slacks, Vector512.Load(norms + at), Vector512.Abs(product) * factor);
            var high = middle + error;
            var hits = Vector512.GreaterThanOrEqual(high, floors).ExtractMostSignificantBits();
            while (hits != 0)
            {
                var lane = BitOperations.TrailingZeroCount(hits);
                hits &= hits - 1;
                _candidates[found] = at + lane;
                _lower[found] = middle[lane] - error[lane];
                _upper[found++] = high[lane];
            }
        }

        for (; at < _latents; at++)
        {
            var product = bfloat16 ? BitConverter.UInt32BitsToSingle((uint)((ushort*)row)[at] << 16) : ((float*)row)[at];
            var error = (slack * norms[at]) + (relative * Math.Abs(product));
            if (product + bias[at] + error >= floor)
            {
                _candidates[found] = at;
                _lower[found] = product + bias[at] - error;
                _upper[found++] = product + bias[at] + error;
            }
        }

        return found;
    }

    private static Vector512<float> Load(void* row, bool bfloat16, int at)
    {
        if (!bfloat16)
        {
            return Vector512.Load((float*)row + at);
        }

        var (low, high) = Vector256.Widen(Vector256.Load((ushort*)row + at));
        return (Vector512.Create(low, high) << 16).AsSingle();
    }
}
