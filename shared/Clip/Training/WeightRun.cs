using ClipSae.Clip.Model;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Clip.Training;

/// <summary>
/// A stretch of <see cref="TrainingWeights"/> that is made from its parameters, and sends its gradients back to them, in one go.
/// </summary>
internal abstract class WeightRun
{
    private WeightRun() { }

    /// <summary>Makes the weights from the parameters.</summary>
    public abstract void Refresh();

    /// <summary>Adds the weights' gradients to the parameters'; the weights' are useless afterwards.</summary>
    public abstract void SendBack();

    /// <summary>Weights that are their parameters times a number.</summary>
    /// <param name="values">Parameters [n], float32.</param>
    /// <param name="gradients">Of the parameters and of the weights [n]; null where they are not trained.</param>
    /// <param name="weights">[n].</param>
    public sealed class Scaled(Tensor values, (Tensor Values, Tensor Weights)? gradients, Tensor weights, double factor) : WeightRun
    {
        public override void Refresh()
        {
            if (factor == 1)
            {
                weights.copy_(values);
                return;
            }

            using var scaled = values.Times(factor);
            weights.copy_(scaled);
        }

        public override void SendBack() => gradients?.Values.AddInPlace(gradients.Value.Weights, factor);
    }

    /// <summary>
    /// Rows W = c·r·u with u = θ/‖θ‖. Of G, the gradient of W: the gradient of r is c·(G·u), that of θ is c·r/‖θ‖·(G − (G·u)·u).
    /// </summary>
    /// <param name="radius">[rows, 1], float32.</param>
    /// <param name="theta">[rows, columns], float32.</param>
    /// <param name="gradients">Of radius, theta and the weights; null where they are not trained.</param>
    /// <param name="weights">[rows, columns].</param>
    /// <param name="kernels">In place of libtorch's operations, if there are some.</param>
    public sealed class Geometric(
        Tensor radius,
        Tensor theta,
        (Tensor Radius, Tensor Theta, Tensor Weights)? gradients,
        Tensor weights,
        double factor,
        TrainingKernels? kernels
    ) : WeightRun
    {
        /// <summary>Elements in float32 at a time in addition to the buffers: 128 MiB.</summary>
        private const long Slice = 1 << 25;

        public override void Refresh()
        {
            if (kernels is not null)
            {
                kernels.Materialize(theta, radius, weights, factor);
                return;
            }

            InSlices(
                (from, count) =>
                {
                    Tensor Rows(Tensor tensor) => tensor.narrow(0, from, count);
                    var direction = Rows(theta);
                    var length = Rows(radius).Times(factor).div_(direction.norm(1, keepdim: true));
                    Rows(weights).copy_(direction * length);
                }
            );
        }

        public override void SendBack()
        {
            if (gradients is not var (radiusGradient, thetaGradient, weightGradients))
            {
                return;
            }

            if (kernels is not null)
            {
                kernels.SendBack(theta, radius, weightGradients, thetaGradient, radiusGradient, factor);
                return;
            }

            InSlices(
                (from, count) =>
                {
                    Tensor Rows(Tensor tensor) => tensor.narrow(0, from, count);
                    var direction = Rows(theta);
                    var norm = direction.norm(1, keepdim: true);
                    var gradient = Rows(weightGradients).to(float32);
                    var along = (gradient * direction).sum(1, keepdim: true).div_(norm);
                    Rows(radiusGradient).AddInPlace(along, factor);
                    var across = gradient.AddProductInPlace(direction, along.div_(norm), -1);
                    Rows(thetaGradient).AddProductInPlace(across, Rows(radius).div(norm), factor);
                }
            );
        }

        private void InSlices(Action<long, long> work)
        {
            var (rows, slice) = (theta.shape[0], Math.Max(1, Slice / theta.shape[1]));
            for (long from = 0; from < rows; from += slice)
            {
                using var scope = NewDisposeScope();
                work(from, Math.Min(slice, rows - from));
            }
        }
    }
}
