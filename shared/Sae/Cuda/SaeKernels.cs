using System.Globalization;
using ClipSae.Sae.Kernels;
using ClipSae.Sae.Steps;
using ClipSae.Tensors.Cuda;
using static TorchSharp.torch;

namespace ClipSae.Sae.Cuda;

/// <summary>
/// The kernels of <c>sae.cu</c>, compiled for one autoencoder on one device. What each does is said there; here are their launches.
/// </summary>
internal sealed class SaeKernels : IDisposable
{
    /// <summary>
    /// Latents a row whose exact value is computed beyond k: the bfloat16 product may order near neighbours wrongly, but hardly so many.
    /// </summary>
    private const int ExtraCandidates = 16;

    private const int Warp = 32;
    private const int MaxThreads = 256;

    private readonly CudaModule _module;
    private readonly int _width;
    private readonly int _latents;
    private readonly int _rowThreads;
    private readonly int _latentThreads;

    /// <param name="groupEnds">Latents at which the prefixes of a Matryoshka end; one number, all latents, for the others.</param>
    /// <exception cref="UserErrorException">They do not compile here.</exception>
    public SaeKernels(Device device, int width, int latents, int k, bool tied, IReadOnlyList<int> groupEnds)
    {
        (_width, _latents) = (width, latents);
        var pack = width % 4 == 0 ? 4 : 1;
        var packs = width / pack;
        var candidates = Math.Min(k + ExtraCandidates, latents);
        _rowThreads = Math.Clamp(UpTo(packs, Warp), 2 * Warp, MaxThreads);
        _latentThreads = Math.Clamp(UpTo(packs, Warp), Warp, MaxThreads);
        string Text(FormattableString definition) => definition.ToString(CultureInfo.InvariantCulture);
        string[] definitions =
        [
            Text($"WIDTH={width}"),
            Text($"LATENTS={latents}"),
            Text($"K={k}"),
            Text($"VEC={pack}"),
            Text($"CANDIDATES={candidates}"),
            Text($"CAPACITY={(2 * candidates) + 64}"),
            Text($"BUCKETS={Buckets(candidates)}"),
            Text($"ROW_THREADS={_rowThreads}"),
            Text($"LATENT_THREADS={_latentThreads}"),
            Text($"TIED={(tied ? 1 : 0)}"),
            Text($"GROUPS={groupEnds.Count}"),
            $"GROUP_ENDS={{{string.Join(',', groupEnds.Select(end => end.ToString(CultureInfo.InvariantCulture)))}}}",
        ];
        _module = CudaModule.Compile(
            device,
            typeof(SaeKernels),
            "sae.cu",
            definitions,
            "the autoencoder's kernels",
            "train on the CPU with --set sae.device=cpu"
        );
    }

    public void Centre(Tensor x, Tensor preBias, Tensor centred, Tensor narrow) =>
        _module.Launch(
            "centre",
            Math.Min(65_535, Blocks(x.NumberOfElements, MaxThreads)),
            MaxThreads,
            0,
            x,
            preBias,
            centred,
            narrow,
            x.NumberOfElements
        );

    public void SelectRows(Tensor approximate, Tensor centred, Tensor encoder, Tensor encoderBias, Tensor index, Tensor value) =>
        _module.Launch(
            "select_rows",
            approximate.shape[0],
            MaxThreads,
            _width * sizeof(float),
            approximate,
            centred,
            encoder,
            encoderBias,
            index,
            value
        );

    public void ExactValues(Tensor places, Tensor centred, SaeTrainingState state, Tensor value) =>
        _module.Launch(
            "exact_values",
            Blocks(places.NumberOfElements, MaxThreads / Warp),
            MaxThreads,
            0,
            places,
            centred,
            state.Encoder,
            state.EncoderBias,
            value,
            (int)places.NumberOfElements
        );

    public void RunStarts(Tensor sorted, int limit, Tensor starts) =>
        _module.Launch(
            "run_starts",
            Blocks(sorted.NumberOfElements + 1, MaxThreads),
            MaxThreads,
            0,
            sorted,
            (int)sorted.NumberOfElements,
            limit,
            starts
        );

    public void DecodeRows(
        ActiveEntries active,
        Tensor decoder,
        Tensor centred,
        Tensor coefficient,
        Tensor error,
        Tensor squares,
        Tensor gradient
    ) =>
        _module.Launch(
            "decode_rows",
            centred.shape[0],
            _rowThreads,
            _width * sizeof(float),
            active.Index,
            active.Value,
            active.RowStarts,
            decoder,
            centred,
            coefficient,
            error,
            squares,
            gradient
        );

    public void BiasGradient(Tensor entries, Tensor latentStarts, Tensor gradient, DeadLatents? dead, Tensor result) =>
        _module.Launch(
            "bias_gradient",
            Blocks(_latents, MaxThreads / Warp),
            MaxThreads,
            0,
            entries,
            latentStarts,
            gradient,
            dead?.Places,
            dead?.Bias,
            result
        );

    public void UpdateVector(SaeTrainingState state, string parameter, Tensor gradient, AdamRow adam) =>
        _module.Launch(
            "update_vector",
            Blocks(gradient.NumberOfElements, MaxThreads),
            MaxThreads,
            0,
            state.Tensors[parameter],
            state.FirstMoment(parameter),
            state.SecondMoment(parameter),
            gradient,
            (int)gradient.NumberOfElements,
            adam.StepSize,
            adam.Beta1,
            adam.Take1,
            adam.Beta2,
            adam.Take2,
            adam.Correction,
            adam.Epsilon
        );

    public void UpdateDictionary(
        Tensor entries,
        Tensor latentStarts,
        ActiveEntries active,
        Tensor gradient,
        Tensor centred,
        Tensor error,
        Tensor coefficient,
        DeadLatents? dead,
        SaeTrainingState state,
        Tensor narrow,
        AdamRow adam
    )
    {
        var decoder = state.Tied ? "encoder" : "decoder";
        _module.Launch(
            "update_dictionary",
            _latents,
            _latentThreads,
            0,
            entries,
            latentStarts,
            active.RowOf,
            active.Value,
            gradient,
            centred,
            error,
            coefficient,
            dead?.Places,
            dead?.Encoder,
            dead?.Decoder,
            state.Encoder,
            state.FirstMoment("encoder"),
            state.SecondMoment("encoder"),
            state.Decoder,
            state.FirstMoment(decoder),
            state.SecondMoment(decoder),
            narrow,
            state.SinceFired,
            (int)centred.shape[0],
            adam.StepSize,
            adam.Beta1,
            adam.Take1,
            adam.Beta2,
            adam.Take2,
            adam.Correction,
            adam.Epsilon
        );
    }

    public void AblateRows(Tensor index, Tensor value, Tensor decoder, Tensor chosen, Tensor x, Tensor result) =>
        _module.Launch("ablate_rows", x.shape[0], _rowThreads, 0, index, value, decoder, chosen, x, result);

    public void MeanLatents(Tensor index, Tensor value, Tensor mean, int rowsEach) =>
        _module.Launch("mean_latents", mean.shape[0], 2 * Warp, 0, index, value, mean, rowsEach);

    public void Dispose() => _module.Dispose();

    /// <summary>Parts of a row a thread: four times as many parts as candidates, so that few candidates share a part.</summary>
    private static int Buckets(int candidates)
    {
        var buckets = 1;
        while (buckets < 8 && buckets * MaxThreads < 4 * candidates)
        {
            buckets *= 2;
        }

        return buckets;
    }

    private static long Blocks(long items, int perBlock) => (items + perBlock - 1) / perBlock;

    private static int UpTo(int number, int multiple) => (number + multiple - 1) / multiple * multiple;
}
