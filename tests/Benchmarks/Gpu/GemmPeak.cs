namespace ClipSae.Benchmarks.Gpu;

/// <summary>Rate of a large square matrix product on the device, FLOP/s.</summary>
internal sealed record GemmPeak(double Float32, double Bfloat16);
