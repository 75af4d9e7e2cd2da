using ClipSae.Sae.Steps;

namespace ClipSae.Sae.Kernels;

/// <summary>
/// What is computed latent by latent: the gradient of its encoder and decoder rows from the places where it is active, projection, Adam,
/// renormalisation. The rows of one latent and their gradient stay in cache, and no gradient of the whole dictionary exists.
/// </summary>
internal sealed unsafe class DictionaryPass(
    SaeTrainingState state,
    ActiveLatents active,
    float* centred,
    float* error,
    float scale,
    AdamRow adam
)
{
    private const int Blocks = 64;

    private readonly int _width = state.Width;
    private readonly float* _encoder = PinnedArray.Address<float>(state.Encoder);
    private readonly float* _encoderFirst = PinnedArray.Address<float>(state.FirstMoment("encoder"));
    private readonly float* _encoderSecond = PinnedArray.Address<float>(state.SecondMoment("encoder"));
    private readonly float* _decoder = PinnedArray.Address<float>(state.Decoder);
    private readonly float* _decoderFirst = PinnedArray.Address<float>(state.FirstMoment(state.Tied ? "encoder" : "decoder"));
    private readonly float* _decoderSecond = PinnedArray.Address<float>(state.SecondMoment(state.Tied ? "encoder" : "decoder"));

    /// <summary>Moves all parameters by one step.</summary>
    public void Update(DeadLatentGradient? dead)
    {
        var deadRow = new Dictionary<int, int>();
        for (var i = 0; i < (dead?.Dead.Length ?? 0); i++)
        {
            deadRow[dead!.Dead[i]] = i;
        }

        var biasGradient = PinnedArray.Create<float>(active.Latents);
        var blockSize = (active.Latents + Blocks - 1) / Blocks;
        var written = PinnedArray.Create<float>(Blocks * _width);
        Parallelism.ForBlocks(active.Latents, blockSize, (block, first, end) =>
        {
            var buffers = PinnedArray.Create<float>(2 * _width);
            var towardsPreBias = PinnedArray.Address(written) + (block * _width);
            for (var j = first; j < end; j++)
            {
                var ofEncoder = PinnedArray.Address(buffers);
                var ofDecoder = ofEncoder + _width;
                biasGradient[j] = Gather(j, ofEncoder, ofDecoder);
                if (dead is not null && deadRow.TryGetValue(j, out var row))
                {
                    biasGradient[j] += AddDead(dead, row, ofEncoder, ofDecoder);
                }

                RowMath.AddScaled(towardsPreBias, -biasGradient[j], _encoder + ((long)j * _width), _width);
                UpdateRows(j, ofEncoder, ofDecoder);
            }
        });
        UpdateBiases(biasGradient, written);
    }

    /// <summary>The gradient of a latent's two rows from the samples on which it is active; returns that of its bias.</summary>
    private float Gather(int latent, float* ofEncoder, float* ofDecoder)
    {
        new Span<float>(ofEncoder, _width).Clear();
        new Span<float>(ofDecoder, _width).Clear();
        var places = active.Places;
        var values = active.Values;
        var gradients = active.Gradients;
        var (first, end) = (active.Starts[latent], active.Starts[latent + 1]);
        float bias = 0;
        for (var i = first; i < end; i++)
        {
            var place = places[i];
            var offset = (long)(place / active.K) * _width;
            var gradient = scale * gradients[place];
            RowMath.AddScaled(ofEncoder, gradient, centred + offset, _width);
            RowMath.AddScaled(ofDecoder, scale * values[place], error + offset, _width);
            bias += gradient;
        }

        return bias;
    }

    private float AddDead(DeadLatentGradient dead, int row, float* ofEncoder, float* ofDecoder)
    {
        RowMath.AddScaled(ofEncoder, dead.Scale, PinnedArray.Address<float>(dead.Encoder) + ((long)row * _width), _width);
        RowMath.AddScaled(ofDecoder, dead.Scale, PinnedArray.Address<float>(dead.Decoder) + ((long)row * _width), _width);
        return dead.Scale * PinnedArray.Address<float>(dead.Bias)[row];
    }

    private void UpdateRows(int latent, float* ofEncoder, float* ofDecoder)
    {
        var offset = (long)latent * _width;
        if (state.Tied)
        {
            RowMath.AddScaled(ofDecoder, 1, ofEncoder, _width);
        }
        else
        {
            adam.Update(_encoder + offset, ofEncoder, _encoderFirst + offset, _encoderSecond + offset, _width);
        }

        var row = _decoder + offset;
        RowMath.AddScaled(ofDecoder, -RowMath.Dot(ofDecoder, row, _width), row, _width);
        adam.Update(row, ofDecoder, _decoderFirst + offset, _decoderSecond + offset, _width);
        RowMath.Scale(row, 1 / MathF.Sqrt(RowMath.Dot(row, row, _width)), _width);
    }

    /// <summary>b_enc, and b_pre, which the error sees directly and every active latent through its encoder row.</summary>
    private void UpdateBiases(float[] biasGradient, float[] written)
    {
        var throughError = BatchStatistics.ColumnSums(error, active.Rows, _width);
        var preBiasGradient = PinnedArray.Create<float>(_width);
        for (var i = 0; i < _width; i++)
        {
            var sum = scale * throughError[i];
            for (var block = 0; block < Blocks; block++)
            {
                sum += written[(block * _width) + i];
            }

            preBiasGradient[i] = (float)sum;
        }

        Update("encoder_bias", biasGradient);
        Update("pre_bias", preBiasGradient);
    }

    private void Update(string parameter, float[] gradient)
    {
        adam.Update(
            PinnedArray.Address<float>(state.Tensors[parameter]),
            PinnedArray.Address(gradient),
            PinnedArray.Address<float>(state.FirstMoment(parameter)),
            PinnedArray.Address<float>(state.SecondMoment(parameter)),
            gradient.Length
        );
        GC.KeepAlive(gradient); // nothing else does while its address is in use
    }
}
