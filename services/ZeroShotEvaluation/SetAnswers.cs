namespace ClipSae.ZeroShotEvaluation;

/// <summary>What one model answers on one set, image by image. Values are 0 or 1, so that each figure is a mean over images.</summary>
/// <param name="Chosen">Index of the chosen candidate.</param>
/// <param name="Right">1 where the choice is right.</param>
/// <param name="Fooled">1 where the choice is the printed word (attacked sets).</param>
/// <param name="BinaryRight">1 where the object beats the word, these two alone compared (attacked sets).</param>
/// <param name="Margin">Cosine to the object less cosine to the word (attacked sets).</param>
internal sealed record SetAnswers(int[] Chosen, float[] Right, float[]? Fooled, float[]? BinaryRight, float[]? Margin)
{
    /// <summary>Reads the answers off the cosines.</summary>
    /// <param name="question">The question.</param>
    /// <param name="cosines">Cosine of each image and candidate, [images, candidates] row-major.</param>
    public static SetAnswers Of(SetQuestion question, ReadOnlySpan<float> cosines)
    {
        var (images, width) = (question.Rows.Length, question.Candidates.Count);
        var attacked = question.Protocol is EvaluationProtocol.Attacked;
        var chosen = new int[images];
        var right = new float[images];
        var (fooled, binary, margin) = attacked ? (new float[images], new float[images], new float[images]) : (null, null, null);
        for (var i = 0; i < images; i++)
        {
            var row = cosines.Slice(i * width, width);
            chosen[i] = Largest(row);
            right[i] = chosen[i] == question.Right[i] ? 1 : 0;
            if (attacked)
            {
                fooled![i] = chosen[i] == question.Printed[i] ? 1 : 0;
                margin![i] = row[question.Right[i]] - row[question.Printed[i]];
                binary![i] = margin[i] > 0 ? 1 : 0;
            }
        }

        return new SetAnswers(chosen, right, fooled, binary, margin);
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
