namespace ClipSae.Benchmarks.Gpu;

/// <summary>One rate of the GPU table; more is better.</summary>
/// <param name="Key">What the same figure of <c>peers.py</c> is called; figures without one have no peer.</param>
/// <param name="Value">In units a second.</param>
/// <param name="Unit">Of what, <c>images/s</c>.</param>
/// <param name="Allowed">The rate that the machine allows, by arithmetic, decoding or disk; null where none is known.</param>
internal sealed record GpuFigure(string Key, double Value, string Unit, double? Allowed = null);
