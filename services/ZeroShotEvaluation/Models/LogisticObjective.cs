using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.ZeroShotEvaluation.Models;

/// <summary>
/// Multinomial logistic regression: mean over images of −ln p(class) plus ‖W‖² / (2 · C · images), which has the minimum of scikit-learn's
/// ½‖W‖² + C · Σ loss. The bias is not regularised.
/// </summary>
/// <param name="features">[images, width], float64.</param>
/// <param name="classOf">Class of each image.</param>
/// <param name="classes">Number of classes.</param>
/// <param name="inverseRegularization">C.</param>
internal sealed class LogisticObjective(torch.Tensor features, int[] classOf, int classes, double inverseRegularization)
{
    private readonly int _width = (int)features.shape[1];

    /// <summary>Weights [classes, width], then biases [classes].</summary>
    public int Parameters => classes * (_width + 1);

    /// <summary>Value at a point.</summary>
    /// <param name="gradient">Filled with the gradient there.</param>
    public double Evaluate(double[] point, double[] gradient)
    {
        using var scope = torch.NewDisposeScope();
        var images = classOf.Length;
        var errors = Logits(features, point);
        var losses = new double[images];
        Parallel.For(0, images, image => losses[image] = ToErrors(errors.AsSpan(image * classes, classes), classOf[image]));
        AlignedTensor.Of(errors, images, classes).t().matmul(features).data<double>().CopyTo(gradient.AsSpan(0, classes * _width));
        Array.Clear(gradient, classes * _width, classes);
        for (var i = 0; i < errors.Length; i++)
        {
            gradient[classes * _width + i % classes] += errors[i];
        }

        var squares = 0.0;
        var decay = 1 / (inverseRegularization * images);
        for (var i = 0; i < gradient.Length; i++)
        {
            var isWeight = i < classes * _width;
            squares += isWeight ? point[i] * point[i] : 0;
            gradient[i] = gradient[i] / images + (isWeight ? decay * point[i] : 0);
        }

        return losses.Sum() / images + decay * squares / 2;
    }

    /// <summary>The likeliest class of each row; the first of equals.</summary>
    public int[] Classify(torch.Tensor rows, double[] point)
    {
        using var scope = torch.NewDisposeScope();
        var logits = Logits(rows, point);
        return
        [
            .. Enumerable
                .Range(0, (int)rows.shape[0])
                .Select(row =>
                {
                    var best = 0;
                    for (var c = 1; c < classes; c++)
                    {
                        best = logits[row * classes + c] > logits[row * classes + best] ? c : best;
                    }

                    return best;
                }),
        ];
    }

    // Softmax less the truth in place of the logits; returns the loss.
    private static double ToErrors(Span<double> logits, int truth)
    {
        var largest = double.NegativeInfinity;
        foreach (var logit in logits)
        {
            largest = Math.Max(largest, logit);
        }

        var sum = 0.0;
        foreach (var logit in logits)
        {
            sum += Math.Exp(logit - largest);
        }

        var loss = Math.Log(sum) + largest - logits[truth];
        for (var c = 0; c < logits.Length; c++)
        {
            logits[c] = Math.Exp(logits[c] - largest) / sum - (c == truth ? 1 : 0);
        }

        return loss;
    }

    private double[] Logits(torch.Tensor rows, double[] point)
    {
        var weights = AlignedTensor.Of(point.AsSpan(0, classes * _width), classes, _width);
        var biases = AlignedTensor.Of(point.AsSpan(classes * _width), classes);
        return rows.matmul(weights.t()).Plus(biases).data<double>().ToArray();
    }
}
