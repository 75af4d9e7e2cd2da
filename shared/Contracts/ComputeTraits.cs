namespace ClipSae.Contracts;

/// <summary>What a result was computed with, as far as its last bits may follow from it.</summary>
/// <param name="Software">Version of ClipSae.</param>
/// <param name="Threads">Threads of tensor work: the order of sums follows from them.</param>
/// <param name="Processor">Kind of processor and the widest instructions that it has, such as <c>x64 avx512</c>: kernels are chosen by
/// them.</param>
/// <param name="Device">Kind of device, <c>cpu</c> or <c>cuda</c>.</param>
public sealed record ComputeTraits(string Software, int Threads, string Processor, string Device)
{
    /// <summary>
    /// What differs here from what a result was computed with, for people: <c>computed with 2 threads, now 1</c>; null for nothing that
    /// changes bits.
    /// </summary>
    public string? DifferenceFrom(ComputeTraits computed)
    {
        string?[] differences =
        [
            computed.Threads == Threads ? null : $"computed with {Counted(computed.Threads)}, now {Threads}",
            computed.Processor == Processor ? null : $"computed on {computed.Processor}, now on {Processor}",
            computed.Device == Device ? null : $"computed on {computed.Device}, now on {Device}",
        ];
        return differences.Any(difference => difference is not null)
            ? string.Join("; ", differences.Where(difference => difference is not null))
            : null;
    }

    private static string Counted(int threads) => threads == 1 ? "1 thread" : FormattableString.Invariant($"{threads} threads");
}
