using static TorchSharp.torch;

namespace ClipSae.Sae.Steps;

/// <summary>One optimizer step. Two implementations that agree to float32 rounding: by autograd and by sparse kernels.</summary>
public interface ISaeStep : IDisposable
{
    /// <summary>Takes the step's gradient, moves the parameters, counts which latents fired.</summary>
    /// <param name="state">Changed in place; <see cref="SaeTrainingState.Step"/> rises by 1.</param>
    /// <param name="batch">Normalised inputs [rows, d_in], float32.</param>
    /// <param name="learningRate">Learning rate.</param>
    /// <returns>Losses of the step before it moved, [2]: MSE/Var and AuxK. Left on the device; reading them is the caller's
    /// choice.</returns>
    Tensor Run(SaeTrainingState state, Tensor batch, double learningRate);
}
