using TorchSharp;

namespace ClipSae.WeightConversion.Weights;

/// <summary>What training changed about one linear layer, as a product of two narrow matrices.</summary>
/// <param name="A">[rank, in].</param>
/// <param name="B">[out, rank].</param>
/// <param name="Error">Largest element that the product misses, as a share of the largest of the change and of what float32 keeps of the
/// weights.</param>
internal sealed record LowRankChange(torch.Tensor A, torch.Tensor B, double Error) : IDisposable
{
    /// <summary>
    /// Rounds of subspace iteration; one is enough where the change is of the rank asked for, and what is left is rounding.
    /// </summary>
    private const int Rounds = 2;

    /// <summary>Share of the largest weight that merging in float32 may have rounded away.</summary>
    private const double Rounding = 1e-6;

    /// <summary>Largest <see cref="Error"/> of a change that is of the rank.</summary>
    public const double MaxError = 1;

    /// <summary>Share of the change's largest element that may be missing.</summary>
    private const double MaxShare = 1e-4;

    /// <summary>
    /// Splits after − before by subspace iteration (Halko et al., arXiv 0909.4061, algorithm 4.4), whose start is fixed by the seed.
    /// </summary>
    /// <param name="before">[out, in], float32.</param>
    /// <param name="after">[out, in], float32.</param>
    /// <param name="rank">Columns of B.</param>
    /// <returns>The factors, or null where nothing changed.</returns>
    public static LowRankChange? Of(torch.Tensor before, torch.Tensor after, int rank, long seed)
    {
        using var scope = torch.NewDisposeScope();
        var change = after.sub(before).to(torch.float64);
        var largest = change.abs().max().item<double>();
        if (largest == 0)
        {
            return null;
        }

        using var generator = new torch.Generator((ulong)seed, torch.CPU);
        var basis = Orthonormal(
            change.mm(
                torch.randn(
                    [change.shape[1], Math.Min(rank, Math.Min(change.shape[0], change.shape[1]))],
                    dtype: torch.float64,
                    generator: generator
                )
            )
        );
        for (var round = 0; round < Rounds; round++)
        {
            basis = Orthonormal(change.mm(change.t().mm(basis)));
        }

        var rows = basis.t().mm(change);
        var missed = change.sub(basis.mm(rows)).abs().max().item<double>();
        var allowed = (MaxShare * largest) + (Rounding * before.abs().max().item<float>());
        return new LowRankChange(
            rows.to(torch.float32).MoveToOuterDisposeScope(),
            basis.to(torch.float32).MoveToOuterDisposeScope(),
            missed / allowed
        );
    }

    public void Dispose()
    {
        A.Dispose();
        B.Dispose();
    }

    private static torch.Tensor Orthonormal(torch.Tensor columns) => torch.linalg.qr(columns).Q;
}
