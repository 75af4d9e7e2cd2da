using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration.Hygiene;

/// <summary>
/// Logistic regression on standardised inputs with a ridge, both classes weighing as much as the other however many there are. Fitted by
/// Newton's method (iteratively reweighted least squares), so that it needs no learning rate and no seed.
/// </summary>
public sealed class LogisticRegression : IDisposable
{
    private const int Iterations = 12;

    /// <summary>
    /// Weight of the squared coefficients relative to the mean loss: keeps them finite where the classes can be distinguished completely.
    /// </summary>
    private const double Ridge = 1e-3;

    private readonly Tensor _weights;
    private readonly Tensor _mean;
    private readonly Tensor _scale;
    private readonly double _bias;

    private LogisticRegression(Tensor weights, double bias, Tensor mean, Tensor scale) =>
        (_weights, _bias, _mean, _scale) = (
            weights.DetachFromDisposeScope(),
            bias,
            mean.DetachFromDisposeScope(),
            scale.DetachFromDisposeScope()
        );

    /// <summary>
    /// Fits under the condition that no input speaks against the positive class: the input that most does is left out, until none does.
    /// </summary>
    /// <inheritdoc cref="Fit"/>
    public static LogisticRegression FitMonotone(Tensor inputs, IReadOnlyList<bool> positive)
    {
        using var scope = NewDisposeScope();
        var used = ones(inputs.shape[1], device: inputs.device);
        while (true)
        {
            var fitted = Fit(inputs * used, positive);
            var (least, column) = fitted._weights.min(0);
            if (least.item<float>() >= 0)
            {
                return fitted;
            }

            fitted.Dispose();
            used[column.item<long>()] = 0f;
        }
    }

    /// <param name="inputs">float32 [cases, inputs].</param>
    /// <param name="positive">One entry a case; both classes must be there.</param>
    public static LogisticRegression Fit(Tensor inputs, IReadOnlyList<bool> positive)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var count = positive.Count(p => p);
        if (count == 0 || count == positive.Count)
        {
            throw new ArgumentException($"{count} of {positive.Count} cases are positive; both classes are needed");
        }

        var mean = inputs.mean([0]);
        var scale = inputs.std(0, unbiased: false).AtLeast(1e-6);
        // The last column is the bias.
        var x = cat([(inputs - mean) / scale, ones(inputs.shape[0], 1, device: inputs.device)], 1);
        var width = x.shape[1];
        var target = AlignedTensor.Of([.. positive.Select(p => p ? 1f : 0f)], positive.Count).to(inputs.device);
        var weight = AlignedTensor
            .Of([.. positive.Select(p => (float)(0.5 / (p ? count : positive.Count - count)))], positive.Count)
            .to(inputs.device);
        var ridge = eye(width, dtype: ScalarType.Float64).Times(Ridge);
        ridge[width - 1, width - 1].MultiplyInPlace(1e-9 / Ridge);
        var solution = zeros(width, 1, dtype: ScalarType.Float64);
        for (var iteration = 0; iteration < Iterations; iteration++)
        {
            using var step = NewDisposeScope();
            var p = x.mm(solution.to(ScalarType.Float32).to(inputs.device)).squeeze(1).sigmoid();
            var gradient = x.t().mv((p - target) * weight).to(ScalarType.Float64).cpu().unsqueeze(1).Plus(ridge.mm(solution));
            var curvature = (p - p.Squared()).AtLeast(1e-4) * weight;
            var hessian = x.t().mm(x * curvature.unsqueeze(1)).to(ScalarType.Float64).cpu().Plus(ridge);
            solution.AddInPlace(linalg.solve(hessian, gradient), -1);
        }

        var all = solution.squeeze(1);
        return new LogisticRegression(
            all.narrow(0, 0, width - 1).to(ScalarType.Float32).to(inputs.device),
            all[width - 1].item<double>(),
            mean,
            scale
        );
    }

    /// <summary>Log-odds of the positive class under equal priors, [cases].</summary>
    /// <param name="inputs">float32 [cases, inputs].</param>
    public Tensor LogOdds(Tensor inputs)
    {
        using var scope = NewDisposeScope();
        return ((inputs - _mean) / _scale).mv(_weights).Plus(_bias).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _weights.Dispose();
        _mean.Dispose();
        _scale.Dispose();
    }
}
