using TorchSharp;

namespace ClipSae.Benchmarks.Gpu;

/// <summary>One kind of work of the GPU table, measured by itself on a device.</summary>
internal interface IGpuWork
{
    /// <summary>Its name on the command line, for example <c>sae</c>.</summary>
    string Name { get; }

    /// <summary>Measures; each figure is given as soon as it is there.</summary>
    /// <param name="device">Where to compute.</param>
    /// <param name="scale">Sizes: those of the table, or tiny ones that only show that everything runs.</param>
    /// <param name="peak">The card's matrix product in TFLOP/s, of which floors are made.</param>
    IEnumerable<GpuFigure> Measure(torch.Device device, GpuScale scale, GemmPeak peak);
}
