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

    // What a chunk's products take. Each float32 product lays the weights out anew, so it should be large; bfloat16's are quicker read again from the cache.
    private const long ProductBytes = NativeHeap.MaxKeptBlock - 1;
    private const long NarrowProductBytes = 16 << 20;

    private readonly int width;
    private readonly int latents;
    private readonly bool narrow;
    private readonly int chunk;
    private readonly Tensor roundedWeights;
    private readonly Tensor roundedRows;
    private readonly float[] norms;
    private readonly float[] lost;
    private readonly ThreadLocal<CandidateSearch> search;
    private readonly ThreadLocal<float[]> scratch;

    /// <param name="bfloat16Products">Whether candidates come from bfloat16 products; null for whichever is faster here.</param>
    public SparseEncoder(int width, int latents, int k, int rows, bool? bfloat16Products = null)
    {
        (this.width, this.latents) = (width, latents);
        narrow = bfloat16Products ?? ProductPrecision.PreferBFloat16;
        chunk = (int)Math.Min(rows, Math.Max(64, narrow ? NarrowProductBytes / (2L * latents) : ProductBytes / (4L * latents)));
        roundedWeights = narrow ? empty(latents, width, bfloat16).DetachFromDisposeScope() : empty(0).DetachFromDisposeScope();
        roundedRows = narrow ? empty(chunk, width, bfloat16).DetachFromDisposeScope() : empty(0).DetachFromDisposeScope();
        norms = PinnedArray.Create<float>(latents);
        lost = PinnedArray.Create<float>(latents);
        search = new(() => new CandidateSearch(latents, k));
        scratch = new(() => PinnedArray.Create<float>(2 * latents));
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
        for (var start = 0; start < active.Rows; start += chunk)
        {
            var count = Math.Min(chunk, active.Rows - start);
            var slacks = RowSlacks(x + ((long)start * width), count, worstLoss);
            using var left = narrow ? roundedRows.narrow(0, 0, count) : rows.narrow(0, start, count);
            using var products = LinearLayer.Apply(left, narrow ? roundedWeights : weights);
            CandidatesExamined += SelectRows(x, w, b, active, start, count, products, slacks);
        }
    }

    public void Dispose()
    {
        roundedWeights.Dispose();
        roundedRows.Dispose();
        search.Dispose();
        scratch.Dispose();
    }

    /// <summary>Rounds the weights and measures their norms; returns the largest share of a row's norm that rounding took.</summary>
    private float RoundWeights(float* weights)
    {
        var rounded = narrow ? PinnedArray.Address<ushort>(roundedWeights) : null;
        Parallelism.ForBlocks(latents, 256, (_, first, end) =>
        {
            for (var j = first; j < end; j++)
            {
                var row = weights + ((long)j * width);
                if (narrow)
                {
                    (norms[j], lost[j]) = RowMath.RoundToBFloat16(row, rounded + ((long)j * width), width);
                }
                else
                {
                    (norms[j], lost[j]) = (MathF.Sqrt(RowMath.Dot(row, row, width)), 0);
                }
            }
        });
        var worst = 0f;
        for (var j = 0; j < latents; j++)
        {
            worst = norms[j] > 0 ? Math.Max(worst, lost[j] / norms[j]) : worst;
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
        var sums = 2f * width / (1 << 23);
        var rounded = narrow ? PinnedArray.Address<ushort>(roundedRows) : null;
        Parallelism.ForBlocks(count, 64, (_, first, end) =>
        {
            for (var i = first; i < end; i++)
            {
                var row = rows + ((long)i * width);
                var (norm, gone) = narrow
                    ? RowMath.RoundToBFloat16(row, rounded + ((long)i * width), width)
                    : (MathF.Sqrt(RowMath.Dot(row, row, width)), 0);
                slacks[i] = (gone + ((norm + gone) * (worstLoss + sums))) * 1.01f;
            }
        });
        return slacks;
    }

    private long SelectRows(float* x, float* w, float* b, ActiveLatents active, int start, int count, Tensor approximate, float[] slacks)
    {
        long examined = 0;
        var products = narrow ? (byte*)PinnedArray.Address<ushort>(approximate) : (byte*)PinnedArray.Address<float>(approximate);
        var stride = (long)latents * (narrow ? sizeof(ushort) : sizeof(float));
        var relative = narrow ? BFloat16Rounding : Float32Rounding;
        fixed (float* norm = norms)
        {
            var norms = norm;
            Parallelism.ForBlocks(count, 32, (_, first, end) =>
            {
                var finder = search.Value!;
                long seen = 0;
                for (var i = first; i < end; i++)
                {
                    var found = finder.Find(products + (i * stride), narrow, b, norms, slacks[i], relative);
                    SelectExactly(x + ((long)(start + i) * width), w, b, finder.Candidates, found, active, start + i);
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
        var exact = PinnedArray.Address(scratch.Value!);
        var sorted = exact + latents;
        for (var i = 0; i < found; i++)
        {
            exact[i] = Math.Max(0, RowMath.Dot(row, w + ((long)candidates[i] * width), width) + b[candidates[i]]);
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
