using ClipSae.Tensors.Cuda;
using static TorchSharp.torch;

namespace ClipSae.Clip.Training;

/// <summary>
/// The kernels of <c>training.cu</c>: what libtorch's own operations do in many passes over memory, in one. Plain counterparts:
/// <see cref="WeightRun"/> and the optimizer's.
/// </summary>
public sealed class TrainingKernels : IDisposable
{
    private const int Threads = 256;
    private const int PackLength = 4;
    private const long MaxBlocks = 65_535;

    private readonly CudaModule _module;

    /// <param name="device">A CUDA device.</param>
    /// <param name="type">Of the forward pass's weights: float32 or bfloat16.</param>
    /// <exception cref="UserErrorException">They do not compile here.</exception>
    internal TrainingKernels(Device device, ScalarType type)
    {
        _module = CudaModule.Compile(
            device,
            typeof(TrainingKernels),
            "training.cu",
            [$"BFLOAT16={(type == bfloat16 ? 1 : 0)}"],
            "the training's kernels",
            "train on the CPU with --device cpu"
        );
    }

    /// <summary>A parameter's stretch with its gradient, which an update clears, and its moments; float32 [n], n a multiple of 4.</summary>
    public sealed record Stretch(Tensor Values, Tensor Gradients, Tensor First, Tensor Second);

    /// <summary>AdamW's update; see <c>training.cu</c> for the numbers.</summary>
    /// <param name="clip">Factor on the gradient, a scalar on the device.</param>
    public void AdamW(
        Stretch at,
        Tensor clip,
        double keep,
        double beta1,
        double beta2,
        double epsilon,
        double learningRate,
        double correction
    ) => Update("adamw", at, clip, keep, beta1, beta2, epsilon, learningRate, (float)correction);

    /// <summary>AdaBelief's update; see <c>training.cu</c> for the numbers.</summary>
    /// <param name="clip">Factor on the gradient, a scalar on the device.</param>
    /// <param name="isRectified">Whether the second moment counts yet.</param>
    public void AdaBelief(
        Stretch at,
        Tensor clip,
        double keep,
        double beta1,
        double beta2,
        double epsilon,
        double learningRate,
        bool isRectified
    ) => Update("adabelief", at, clip, keep, beta1, beta2, epsilon, learningRate, isRectified ? 1 : 0);

    public void Dispose() => _module.Dispose();

    internal void Materialize(Tensor theta, Tensor radius, Tensor weights, double factor) =>
        _module.Launch("materialize", theta.shape[0], Threads, 0, theta, radius, weights, (int)theta.shape[1], (float)factor);

    internal void SendBack(
        Tensor theta,
        Tensor radius,
        Tensor weightGradients,
        Tensor thetaGradient,
        Tensor radiusGradient,
        double factor
    ) =>
        _module.Launch(
            "send_back",
            theta.shape[0],
            Threads,
            0,
            theta,
            radius,
            weightGradients,
            thetaGradient,
            radiusGradient,
            (int)theta.shape[1],
            (float)factor
        );

    private void Update(
        string kernel,
        Stretch at,
        Tensor clip,
        double keep,
        double beta1,
        double beta2,
        double epsilon,
        double learningRate,
        KernelArgument last
    ) =>
        _module.Launch(
            kernel,
            Blocks(at),
            Threads,
            0,
            at.Values,
            at.Gradients,
            at.First,
            at.Second,
            Packs(at),
            clip,
            (float)keep,
            (float)beta1,
            (float)(1 - beta1),
            (float)beta2,
            (float)(1 - beta2),
            (float)epsilon,
            (float)learningRate,
            last
        );

    private static long Packs(Stretch at) => at.Values.NumberOfElements / PackLength;

    private static long Blocks(Stretch at) => Math.Min(MaxBlocks, (Packs(at) + Threads - 1) / Threads);
}
