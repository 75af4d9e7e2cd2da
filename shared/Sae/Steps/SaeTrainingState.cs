using static TorchSharp.torch;

namespace ClipSae.Sae.Steps;

/// <summary>
/// Everything that a step reads and changes, as plain tensors in the normalised space: parameters, Adam's moments, how long each latent has
/// been silent, the step. Saving these tensors and continuing from them is continuing as if nothing had happened.
/// </summary>
public sealed class SaeTrainingState : IDisposable
{
    private SaeTrainingState(Dictionary<string, Tensor> tensors, bool tied, long step, Device device)
    {
        Tensors = tensors.ToDictionary(pair => pair.Key, pair => pair.Value.to(device).DetachFromDisposeScope());
        Tied = tied;
        Step = step;
    }

    /// <summary>All tensors by name, as checkpoints hold them: NAME, NAME.m and NAME.v for each parameter.</summary>
    public IReadOnlyDictionary<string, Tensor> Tensors { get; }

    public bool Tied { get; }

    /// <summary>Steps done.</summary>
    public long Step { get; set; }

    /// <summary>W_enc as rows [d_sae, d_in].</summary>
    public Tensor Encoder => Tensors["encoder"];

    /// <summary>W_dec as unit rows [d_sae, d_in]; tied: <see cref="Encoder"/>.</summary>
    public Tensor Decoder => Tied ? Encoder : Tensors["decoder"];

    /// <summary>b_enc [d_sae].</summary>
    public Tensor EncoderBias => Tensors["encoder_bias"];

    /// <summary>b_pre [d_in].</summary>
    public Tensor PreBias => Tensors["pre_bias"];

    /// <summary>Samples since each latent last fired, int64 [d_sae].</summary>
    public Tensor SinceFired => Tensors["since_fired"];

    /// <summary>Smallest activation kept in a batch, averaged over recent batches, float32 [1]; used by BatchTopK alone.</summary>
    public Tensor Threshold => Tensors["threshold"];

    /// <summary>Names of the trained parameters.</summary>
    public IEnumerable<string> Parameters =>
        Tied ? ["encoder", "encoder_bias", "pre_bias"] : ["encoder", "decoder", "encoder_bias", "pre_bias"];

    public Tensor FirstMoment(string parameter) => Tensors[parameter + ".m"];

    public Tensor SecondMoment(string parameter) => Tensors[parameter + ".v"];

    public Device Device => Encoder.device;

    public int Latents => (int)Encoder.shape[0];

    public int Width => (int)Encoder.shape[1];

    /// <summary>
    /// The start: random unit rows for the decoder, the encoder equal to it, b_enc zero, b_pre the geometric median of a sample
    /// (arXiv 2406.04093, appendix A.1).
    /// </summary>
    /// <param name="preBias">b_pre [d_in], normalised space.</param>
    /// <param name="device">Where the state lives; the CPU when null. The numbers are the same on every device.</param>
    public static SaeTrainingState Initialize(SaeVariant variant, int latents, Tensor preBias, long seed, Device? device = null)
    {
        using var scope = NewDisposeScope();
        var width = preBias.shape[0];
        using var generator = new Generator((ulong)seed, CPU);
        var decoder = randn(latents, width, generator: generator);
        decoder.div_(decoder.norm(1, true, 2));
        var tensors = new Dictionary<string, Tensor>
        {
            ["encoder"] = decoder,
            ["encoder_bias"] = zeros(latents),
            ["pre_bias"] = preBias.clone(),
            ["since_fired"] = zeros(latents, int64),
            ["threshold"] = zeros(1),
        };
        if (!variant.Tied)
        {
            tensors["decoder"] = decoder.clone();
        }

        foreach (var parameter in tensors.Keys.Where(name => name is not ("since_fired" or "threshold")).ToArray())
        {
            tensors[parameter + ".m"] = zeros_like(tensors[parameter]);
            tensors[parameter + ".v"] = zeros_like(tensors[parameter]);
        }

        return new SaeTrainingState(tensors, variant.Tied, step: 0, device ?? CPU);
    }

    /// <summary>The state that a checkpoint holds.</summary>
    public static SaeTrainingState Restore(Dictionary<string, Tensor> tensors, bool tied, long step, Device? device = null) =>
        new(tensors, tied, step, device ?? CPU);

    public void Dispose()
    {
        foreach (var tensor in Tensors.Values)
        {
            tensor.Dispose();
        }
    }
}
