using ClipSae.Clip.Architecture;

namespace ClipSae.Benchmarks.Gpu;

/// <summary>Sizes of the works: those of the table, and tiny ones for a machine without a card.</summary>
/// <param name="IsTiny">Whether these are the tiny ones.</param>
internal sealed record GpuScale(bool IsTiny)
{
    /// <summary>Side of the matrix product.</summary>
    public int GemmSide => IsTiny ? 256 : 8192;

    /// <summary>The image tower; one text layer, which it does not use.</summary>
    public ClipArchitecture Tower =>
        IsTiny ? new ClipArchitecture(64, 32, 3, 128, 8, 16, 514, 64, 1) : ClipArchitecture.VitL14 with { TextLayers = 1 };

    /// <summary>Batches of the bare tower.</summary>
    public IReadOnlyList<int> TowerBatches => IsTiny ? [4] : [8, 64, 256];

    /// <summary>Sizes of the sparse autoencoder's step: input width, latents, k, batch.</summary>
    public IReadOnlyList<(int Width, int Latents, int K, int Batch)> Autoencoders =>
        IsTiny ? [(32, 128, 4, 64)] : [(768, 16384, 32, 4096), (1024, 16384, 32, 8192), (1024, 32768, 64, 16384), (4096, 32768, 64, 4096)];

    /// <summary>Pictures that the stages read, as JPEG of 500 × 400.</summary>
    public int Pictures => IsTiny ? 8 : 3000;

    /// <summary>Rounds of a measurement, after one that warms up.</summary>
    public int Rounds => IsTiny ? 1 : 5;
}
