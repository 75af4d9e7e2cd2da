using ClipSae.ZeroShotEvaluation.Sets;

namespace ClipSae.ZeroShotEvaluation.Models;

/// <summary>What one model answers on one set, image by image, so that each metric is a mean over images.</summary>
internal sealed class SetAnswers
{
    private readonly SetQuestion _question;
    private readonly double _scale;

    private SetAnswers(SetQuestion question, double scale)
    {
        _question = question;
        _scale = scale;
        var images = question.Right.Length;
        (Chosen, Right, Confidence, LogLoss, Brier) = (
            new int[images],
            new float[images],
            new float[images],
            new float[images],
            new float[images]
        );
        Fooled = question.Set.Protocol is EvaluationProtocol.Attacked ? new float[images] : null;
        (BinaryRight, Margin) = question.Rival is null ? (null, null) : (new float[images], new float[images]);
    }

    /// <summary>Index of the chosen candidate.</summary>
    public int[] Chosen { get; }

    /// <summary>1 where the choice is right.</summary>
    public float[] Right { get; }

    /// <summary>1 where the choice is the printed word (attacked sets).</summary>
    public float[]? Fooled { get; }

    /// <summary>1 where the object beats the word, these two alone compared.</summary>
    public float[]? BinaryRight { get; }

    /// <summary>Cosine to the object less cosine to the word.</summary>
    public float[]? Margin { get; }

    /// <summary>Probability of the choice, at the model's own logit scale.</summary>
    public float[] Confidence { get; }

    /// <summary>−ln of the right answer's probability.</summary>
    public float[] LogLoss { get; }

    /// <summary>Σ over candidates of (probability − 1 where right)²: Brier's score in its original form, 0 to 2.</summary>
    public float[] Brier { get; }

    /// <summary>Room for the answers to a question.</summary>
    /// <param name="scale">exp(logit_scale).</param>
    public static SetAnswers To(SetQuestion question, double scale) => new(question, scale);

    /// <summary>Reads the answers of some images off their cosines.</summary>
    /// <param name="first">Index of the first image.</param>
    /// <param name="cosines">Cosine of each image and text, [images, texts] row-major.</param>
    public void Read(int first, ReadOnlySpan<float> cosines)
    {
        var width = _question.Texts.Count;
        Span<double> weights = new double[_question.Candidates.Count];
        for (var i = 0; i < cosines.Length / width; i++)
        {
            Read(first + i, cosines.Slice(i * width, width), weights);
        }
    }

    private void Read(int image, ReadOnlySpan<float> row, Span<double> weights)
    {
        var candidates = row[..weights.Length];
        var (right, chosen) = (_question.Right[image], Largest(candidates));
        Chosen[image] = chosen;
        Right[image] = chosen == right ? 1 : 0;
        if (Fooled is not null)
        {
            Fooled[image] = chosen == _question.Printed[image] ? 1 : 0;
        }

        if (_question.Rival is { } rival)
        {
            Margin![image] = row[right] - row[rival[image]];
            BinaryRight![image] = Margin[image] > 0 ? 1 : 0;
        }

        var (sum, squares) = (0.0, 0.0);
        for (var c = 0; c < weights.Length; c++)
        {
            weights[c] = Math.Exp(_scale * (candidates[c] - candidates[chosen]));
            sum += weights[c];
            squares += weights[c] * weights[c];
        }

        Confidence[image] = (float)(1 / sum);
        LogLoss[image] = (float)(Math.Log(sum) - _scale * (candidates[right] - candidates[chosen]));
        Brier[image] = (float)(squares / (sum * sum) - 2 * weights[right] / sum + 1);
    }

    // The first of equals, so that a tie is decided alike everywhere.
    private static int Largest(ReadOnlySpan<float> row)
    {
        var best = 0;
        for (var i = 1; i < row.Length; i++)
        {
            best = row[i] > row[best] ? i : best;
        }

        return best;
    }
}
