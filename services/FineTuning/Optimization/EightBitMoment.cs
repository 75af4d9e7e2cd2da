using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Optimization;

/// <summary>
/// A moment of one parameter in eight bits: blocks of 256 numbers, each divided by the largest magnitude among them and rounded to the
/// nearest of a <see cref="DynamicMap"/> (Dettmers et al. 2022, arXiv 2110.02861; the block of bitsandbytes' optimizers).
/// </summary>
public sealed class EightBitMoment : IDisposable
{
    private const long Block = 256;

    /// <summary>Parameters of fewer elements stay in float32, as in bitsandbytes.</summary>
    private const long Smallest = 4096;

    private readonly DynamicMap _map;
    private readonly long[] _shape;
    private readonly long _length;

    /// <param name="parameter">Its moment is zero at first.</param>
    public EightBitMoment(Tensor parameter, DynamicMap map)
    {
        (_map, _shape, _length) = (map, parameter.shape, parameter.NumberOfElements);
        var blocks = (_length + Block - 1) / Block;
        Codes = zeros(blocks, Block, dtype: ScalarType.Byte, device: parameter.device).DetachFromDisposeScope();
        Scales = zeros(blocks, 1, device: parameter.device).DetachFromDisposeScope();
    }

    /// <summary>Places in the map [blocks, 256], uint8; the last block is filled up.</summary>
    public Tensor Codes { get; }

    /// <summary>Largest magnitude of each block [blocks, 1], float32.</summary>
    public Tensor Scales { get; }

    /// <summary>Whether a parameter's moments are kept so. Embeddings get rare and large gradients and stay in float32, as there.</summary>
    public static bool IsOf(string name, long elements) => elements >= Smallest && !name.Contains("embedding", StringComparison.Ordinal);

    /// <summary>Bytes of both moments of a parameter, in one precision or the other.</summary>
    public static long BytesOf(string name, long elements, Precision precision) =>
        precision == Precision.Int8 && IsOf(name, elements)
            ? 2 * ((elements + Block - 1) / Block) * (Block + sizeof(float))
            : 2 * elements * sizeof(float);

    /// <summary>The moment in float32, of the parameter's shape.</summary>
    public Tensor Read()
    {
        using var scope = NewDisposeScope();
        var numbers = _map.Values.index_select(0, Codes.view(-1).to(int32)).view(-1, Block) * Scales;
        return numbers.view(-1).narrow(0, 0, _length).view(_shape).MoveToOuterDisposeScope();
    }

    /// <summary>Keeps a moment, rounded.</summary>
    public void Write(Tensor moment)
    {
        using var scope = NewDisposeScope();
        var numbers = moment.reshape(-1);
        if (Codes.NumberOfElements != _length)
        {
            numbers = cat([numbers, zeros(Codes.NumberOfElements - _length, device: numbers.device)], 0);
        }

        numbers = numbers.view(-1, Block);
        var (largest, _) = numbers.abs().max(1, keepdim: true);
        Scales.copy_(largest);
        // A block of zeros is divided by one.
        Codes.copy_(
            bucketize(numbers / largest.where(largest.gt(zeros_like(largest)), ones_like(largest)), _map.Midpoints, outInt32: true)
        );
    }

    public void Dispose()
    {
        Codes.Dispose();
        Scales.Dispose();
    }
}
