namespace ClipSae.ZeroShotEvaluation.Models;

/// <summary>Limited-memory BFGS (Nocedal and Wright 2006, algorithms 7.4 and 7.5) with backtracking, for smooth convex functions.</summary>
internal static class Lbfgs
{
    private const int Memory = 10;
    private const double Tolerance = 1e-6;
    private const double SufficientDecrease = 1e-4;
    private const int MaxHalvings = 40;

    /// <param name="evaluate">Value at a point; fills the gradient.</param>
    /// <param name="start">Where to begin; not changed.</param>
    /// <returns>The point, the steps taken, and whether the largest part of the gradient fell below 1e-6.</returns>
    public static (double[] Point, int Iterations, bool Converged) Minimize(
        Func<double[], double[], double> evaluate,
        double[] start,
        int maxIterations
    )
    {
        var (point, gradient) = ((double[])start.Clone(), new double[start.Length]);
        var value = evaluate(point, gradient);
        var history = new List<(double[] Step, double[] Change, double Inverse)>();
        for (var iteration = 0; iteration < maxIterations; iteration++)
        {
            if (gradient.Max(Math.Abs) <= Tolerance)
            {
                return (point, iteration, true);
            }

            var direction = Direction(gradient, history);
            var slope = Dot(direction, gradient);
            var length = history.Count > 0 ? 1 : Math.Min(1, 1 / Math.Sqrt(Dot(gradient, gradient)));
            var (next, nextGradient) = (new double[point.Length], new double[point.Length]);
            var nextValue = double.PositiveInfinity;
            for (var halving = 0; halving < MaxHalvings; halving++, length /= 2)
            {
                Move(point, direction, length, next);
                nextValue = evaluate(next, nextGradient);
                if (nextValue <= value + SufficientDecrease * length * slope)
                {
                    break;
                }
            }

            if (!(nextValue < value))
            {
                // No lower value along the direction: rounding is all that is left.
                return (point, iteration, false);
            }

            Remember(history, [.. next.Zip(point, (a, b) => a - b)], [.. nextGradient.Zip(gradient, (a, b) => a - b)]);
            (point, gradient, value) = (next, nextGradient, nextValue);
        }

        return (point, maxIterations, gradient.Max(Math.Abs) <= Tolerance);
    }

    private static double[] Direction(double[] gradient, List<(double[] Step, double[] Change, double Inverse)> history)
    {
        double[] direction = [.. gradient.Select(part => -part)];
        var weights = new double[history.Count];
        for (var i = history.Count - 1; i >= 0; i--)
        {
            weights[i] = history[i].Inverse * Dot(history[i].Step, direction);
            Move(direction, history[i].Change, -weights[i], direction);
        }

        if (history.Count > 0)
        {
            var scale = 1 / (history[^1].Inverse * Dot(history[^1].Change, history[^1].Change));
            for (var i = 0; i < direction.Length; i++)
            {
                direction[i] *= scale;
            }
        }

        for (var i = 0; i < history.Count; i++)
        {
            Move(direction, history[i].Step, weights[i] - history[i].Inverse * Dot(history[i].Change, direction), direction);
        }

        return direction;
    }

    private static void Remember(List<(double[] Step, double[] Change, double Inverse)> history, double[] step, double[] change)
    {
        var curvature = Dot(step, change);
        if (curvature <= 1e-12 * Dot(change, change))
        {
            return;
        }

        history.Add((step, change, 1 / curvature));
        if (history.Count > Memory)
        {
            history.RemoveAt(0);
        }
    }

    private static void Move(double[] from, double[] along, double length, double[] to)
    {
        for (var i = 0; i < from.Length; i++)
        {
            to[i] = from[i] + length * along[i];
        }
    }

    private static double Dot(double[] a, double[] b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }
}
