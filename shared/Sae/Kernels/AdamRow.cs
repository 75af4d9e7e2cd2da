using System.Runtime.Intrinsics;

namespace ClipSae.Sae.Kernels;

/// <summary>Adam on one row of a parameter, moments and weights in one pass, the row still in cache from its gradient.</summary>
/// <param name="StepSize">Learning rate over the first moment's bias correction.</param>
/// <param name="Take1">1 − β₁, from double precision: 1 − 0.999f is off in the fifth digit.</param>
/// <param name="Take2">1 − β₂, likewise.</param>
/// <param name="Correction">1/√(1 − β₂ᵗ), which corrects the root of the second moment.</param>
internal readonly record struct AdamRow(float StepSize, float Beta1, float Take1, float Beta2, float Take2, float Correction, float Epsilon)
{
    private const int Lanes = 16;

    /// <summary>The arithmetic of step <paramref name="step"/>, counted from 1.</summary>
    public static AdamRow At(long step, double learningRate, double beta1, double beta2, double epsilon) =>
        new(
            (float)(learningRate / (1 - Math.Pow(beta1, step))),
            (float)beta1,
            (float)(1 - beta1),
            (float)beta2,
            (float)(1 - beta2),
            (float)(1 / Math.Sqrt(1 - Math.Pow(beta2, step))),
            (float)epsilon
        );

    public unsafe void Update(float* weights, float* gradient, float* first, float* second, int length)
    {
        var (keep1, take1) = (Vector512.Create(Beta1), Vector512.Create(Take1));
        var (keep2, take2) = (Vector512.Create(Beta2), Vector512.Create(Take2));
        var (learningRate, correction, epsilon) = (Vector512.Create(-StepSize), Vector512.Create(Correction), Vector512.Create(Epsilon));
        var i = 0;
        for (; i <= length - Lanes; i += Lanes)
        {
            var g = Vector512.Load(gradient + i);
            var m = Vector512.FusedMultiplyAdd(keep1, Vector512.Load(first + i), take1 * g);
            var v = Vector512.FusedMultiplyAdd(keep2, Vector512.Load(second + i), take2 * g * g);
            m.Store(first + i);
            v.Store(second + i);
            var denominator = Vector512.FusedMultiplyAdd(Vector512.Sqrt(v), correction, epsilon);
            Vector512.FusedMultiplyAdd(learningRate, m / denominator, Vector512.Load(weights + i)).Store(weights + i);
        }

        for (; i < length; i++)
        {
            first[i] = MathF.FusedMultiplyAdd(Beta1, first[i], Take1 * gradient[i]);
            second[i] = MathF.FusedMultiplyAdd(Beta2, second[i], Take2 * gradient[i] * gradient[i]);
            var denominator = MathF.FusedMultiplyAdd(MathF.Sqrt(second[i]), Correction, Epsilon);
            weights[i] = MathF.FusedMultiplyAdd(-StepSize, first[i] / denominator, weights[i]);
        }
    }
}
