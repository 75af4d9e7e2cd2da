using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Sae.Kernels;

/// <summary>
/// <c>TopK(ReLU(W·x + b), k)</c> of a batch, exactly, with the one large product in whatever type is fastest. That product only proposes
/// candidates, with a bound on its error (<see cref="CandidateSearch"/>); their values, and so the choice among them, come from float32 dot
/// products of the rows. Ties go to the lower latent.
/// </summary>
internal sealed unsafe class SparseEncoder : IDisposable
{
    // Half of bfloat16's spacing (8 significant bits) and of float32's (24), with room for the second rounding on adding the bias.
    private const float BFloat16Rounding = 1.05f / 256;
    private const float Float32Rounding = 2f / (1 << 23);

    // What a chunk's products take. Each float32 product lays the weights out again, so it should be large; bfloat16's are quicker read
    // again from the cache.
    private const long ProductBytes = NativeHeap.MaxKeptBlock - 1;
    private const long NarrowProductBytes = 16 << 20;

    private readonly int _width;
    private readonly int _latents;
    private readonly bool _narrow;
    private readonly int _chunk;
    private readonly Tensor _roundedWeights;
    private readonly Tensor _roundedRows;
    private readonly float[] _norms;
    private readonly float[] _lost;
    private readonly ThreadLocal<CandidateSearch> _search;
    private readonly ThreadLocal<float[]> _scratch;

    /// <param name="bfloat16Products">Whether candidates come from bfloat16 products; null for whichever is faster here.</param>
    public SparseEncoder(int width, int latents, int k, int rows, bool? bfloat16Products = null)
    {
        (_width, _latents) = (width, latents);
        _narrow = bfloat16Products ?? ProductPrecision.PreferBFloat16;
        _chunk = (int)Math.Min(rows, Math.Max(64, _narrow ? NarrowProductBytes / (2L * latents) : ProductBytes / (4L * latents)));
        _roundedWeights = _narrow ? empty(latents, width, bfloat16).DetachFromDisposeScope() : empty(0).DetachFromDisposeScope();
        _roundedRows = _narrow ? empty(_chunk, width, bfloat16).DetachFromDisposeScope() : empty(0).DetachFromDisposeScope();
        _norms = PinnedArray.Create<float>(latents);
        _lost = PinnedArray.Create<float>(latents);
        _search = new(() => new CandidateSearch(latents, k));
        _scratch = new(() => PinnedArray.Create<float>(2 * latents));
    }

    /// <summary>Candidates examined in the last call, over all rows; what the bound costs.</summary>
    public long CandidatesExamined { get; private set; }

    /// <summary>Fills <paramref name="active"/> with indices and values.</summary>
    /// <param name="rows">[rows, d_in], float32, contiguous.</param>
    /// <param name="weights">[d_sae, d_in], float32, contiguous.</param>
    /// <param name="bias">[d_sae], float32.</param>
    public void Encode(Tensor rows, Tensor weights, Tensor bias, ActiveLatents active)
    {
        using var scope = NewDisposeScope();
        var worstLoss = RoundWeights(PinnedArray.Address<float>(weights));
        var x = PinnedArray.Address<float>(rows);
        var w = PinnedArray.Address<float>(weights);
        var b = PinnedArray.Address<float>(bias);
        CandidatesExamined = 0;
        for (var start = 0; start < active.Rows; start += _chunk)
        {
            var count = Math.Min(_chunk, active.Rows - start);
            var slacks = RowSlacks(x + ((long)start * _width), count, worstLoss);
            using var left = _narrow ? _roundedRows.narrow(0, 0, count) : rows.narrow(0, start, count);
            using var products = LinearLayer.Apply(left, _narrow ? _roundedWeights : weights);
            CandidatesExamined += SelectRows(x, w, b, active, start, count, products, slacks);
        }
    }

    public void Dispose()
    {
        _roundedWeights.Dispose();
        _roundedRows.Dispose();
        _search.Dispose();
        _scratch.Dispose();
    }

    /// <summary>Rounds the weights and measures their norms; returns the largest share of a row's norm that rounding took.</summary>
    private float RoundWeights(float* weights)
    {
        var rounded = _narrow ? PinnedArray.Address<ushort>(_roundedWeights) : null;
        Parallelism.ForBlocks(_latents, 256, (_, first, end) =>
        {
            for (var j = first; j < end; j++)
            {
                var row = weights + ((long)j * _width);
                if (_narrow)
                {
                    (_norms[j], _lost[j]) = RowMath.RoundToBFloat16(row, rounded + ((long)j * _width), _width);
                }
                else
                {
                    (_norms[j], _lost[j]) = (MathF.Sqrt(RowMath.Dot(row, row, _width)), 0);
                }
            }
        });
        var worst = 0f;
        for (var j = 0; j < _latents; j++)
        {
            worst = _norms[j] > 0 ? Math.Max(worst, _lost[j] / _norms[j]) : worst;
        }

        return worst;
    }

    /// <summary>
    /// Per row the factor c of the bound <c>|approximate − exact| ≤ c·‖w‖</c>: by Cauchy-Schwarz ‖x − x̃‖·‖w‖ + ‖x̃‖·‖w − w̃‖, and what two
    /// float32 sums of d_in terms, the product's and the dot's, can be off by.
    /// </summary>
    private float[] RowSlacks(float* rows, int count, float worstLoss)
    {
        var slacks = new float[count];
        var sums = 2f * _width / (1 << 23);
        var rounded = _narrow ? PinnedArray.Address<ushort>(_roundedRows) : null;
        Parallelism.ForBlocks(count, 64, (_, first, end) =>
        {
            for (var i = first; i < end; i++)
            {
                var row = rows + ((long)i * _width);
                var (norm, gone) = _narrow
                    ? RowMath.RoundToBFloat16(row, rounded + ((long)i * _width), _width)
                    : (MathF.Sqrt(RowMath.Dot(row, row, _width)), 0);
                slacks[i] = (gone + ((norm + gone) * (worstLoss + sums))) * 1.01f;
            }
        });
        return slacks;
    }

    private long SelectRows(float* x, float* w, float* b, ActiveLatents active, int start, int count, Tensor approximate, float[] slacks)
    {
        long examined = 0;
        var products = _narrow ? (byte*)PinnedArray.Address<ushort>(approximate) : (byte*)PinnedArray.Address<float>(approximate);
        var stride = (long)_latents * (_narrow ? sizeof(ushort) : sizeof(float));
        var relative = _narrow ? BFloat16Rounding : Float32Rounding;
        fixed (float* norm = _norms)
        {
            var norms = norm;
            Parallelism.ForBlocks(count, 32, (_, first, end) =>
            {
                var finder = _search.Value!;
                long seen = 0;
                for (var i = first; i < end; i++)
                {
                    var found = finder.Find(products + (i * stride), _narrow, b, norms, slacks[i], relative);
                    SelectExactly(x + ((long)(start + i) * _width), w, b, finder.Candidates, found, active, start + i);
                    seen += found;
                }

                Interlocked.Add(ref examined, seen);
            });
        }

        return examined;
    }

    /// <summary>The k largest positive activations among the candidates, in rising order of latents.</summary>
    private void SelectExactly(float* row, float* w, float* b, int* candidates, int found, ActiveLatents active, int at)
    {
        var exact = PinnedArray.Address(_scratch.Value!);
        var sorted = exact + _latents;
        for (var i = 0; i < found; i++)
        {
            exact[i] = Math.Max(0, RowMath.Dot(row, w + ((long)candidates[i] * _width), _width) + b[candidates[i]]);
            sorted[i] = exact[i];
        }

        var k = active.K;
        var least = found > k ? Selection.KthLargest(sorted, found, k) : 0;
        var above = 0;
        for (var i = 0; i < found; i++)
        {
            above += exact[i] > least ? 1 : 0;
        }

        var indices = active.Indices + ((long)at * k);
        var values = active.Values + ((long)at * k);
        var (slot, ties) = (0, k - above);
        for (var i = 0; i < found && slot < k; i++)
        {
            var tied = exact[i] == least && ties > 0;
            if (exact[i] > 0 && (exact[i] > least || tied))
            {
                ties -= tied ? 1 : 0;
                (indices[slot], values[slot++]) = (candidates[i], exact[i]);
            }
        }

        for (; slot < k; slot++)
        {
            (indices[slot], values[slot]) = (-1, 0);
        }
    }
}
