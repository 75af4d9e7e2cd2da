using ClipSae.Clip.Training;
using TorchSharp;

namespace ClipSae.Clip.Model;

/// <summary>
/// What a training sets up for a model while it lasts: <see cref="TrainingWeights"/> in the precision of the forward pass, and the
/// recomputation of blocks. Whoever calls <c>backward</c> calls <see cref="CompleteBackward"/> after it.
/// </summary>
public sealed class ClipTraining : IDisposable
{
    private readonly ClipModel _model;

    private ClipTraining(ClipModel model, TrainingWeights? weights, BlockTape? tape)
    {
        (_model, Weights, Tape) = (model, weights, tape);
        model.Training = this;
    }

    /// <summary>
    /// Weights of the forward pass and the flat buffers behind them; null where the parameters themselves are the weights.
    /// </summary>
    public TrainingWeights? Weights { get; }

    internal BlockTape? Tape { get; }

    /// <summary>Begins a training of a model; disposing of it ends it, and the model keeps what was trained.</summary>
    /// <param name="groups">Keys of the parameters to be trained, those of one learning rate and decay together.</param>
    /// <param name="type">Precision of the forward and backward pass: float32 or bfloat16.</param>
    /// <param name="recompute">Whether blocks keep their input alone and are computed again in the backward pass (arXiv
    /// 1604.06174).</param>
    /// <param name="flat">
    /// Whether parameters are side by side. By default not in float32 on a processor: there passes over memory cost, not launches, and a
    /// parameter at a time stays in the cache.
    /// </param>
    /// <param name="withKernels">False leaves everything to libtorch's operations, on a GPU too: to compare the two.</param>
    /// <exception cref="UserErrorException">The GPU cannot run the kernels.</exception>
    public static ClipTraining Begin(
        ClipModel model,
        IReadOnlyList<IReadOnlyList<string>> groups,
        torch.ScalarType type,
        bool recompute,
        bool? flat = null,
        bool withKernels = true
    )
    {
        var device = model.LogitScale.device;
        var isFlat = flat ?? (type != torch.float32 || device.type != DeviceType.CPU);
        var kernels = isFlat && withKernels && device.type == DeviceType.CUDA ? new TrainingKernels(device, type) : null;
        return new ClipTraining(
            model,
            isFlat ? new TrainingWeights(model, groups, type, kernels) : null,
            recompute ? new BlockTape() : null
        );
    }

    /// <summary>
    /// Takes the parameters' new values into the weights of the forward pass: after each optimizer step, and after loading.
    /// </summary>
    public void Refresh() => Weights?.Refresh();

    /// <summary>Carries what a backward pass has left to the parameters' gradients.</summary>
    public void CompleteBackward()
    {
        Tape?.Backward();
        Weights?.SendBack();
    }

    public void Dispose()
    {
        _model.Training = null;
        Tape?.Dispose();
        Weights?.Dispose();
        Weights?.Kernels?.Dispose();
    }
}
