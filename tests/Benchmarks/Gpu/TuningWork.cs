using TorchSharp;

namespace ClipSae.Benchmarks.Gpu;

/// <summary>Pretraining and fine-tuning steps, as <see cref="TuningStepBenchmark"/> measures them on a device.</summary>
internal sealed class TuningWork : IGpuWork
{
    public string Name => "tuning";

    public IEnumerable<GpuFigure> Measure(torch.Device device, GpuScale scale, GemmPeak peak)
    {
        // Small models alone where the table is tiny: those of a processor.
        foreach (var (work, rate) in TuningStepBenchmark.OnDevice(scale.IsTiny ? "cpu" : device.ToString(), TextWriter.Null))
        {
            yield return new GpuFigure($"tuning/{work}", rate, "images/s");
        }
    }
}
