using ClipSae.Datasets;

namespace ClipSae.EmbeddingExtraction;

/// <summary>Draws tokens of an image by its id, so that the draw depends on neither batches nor shards.</summary>
internal static class TokenDraw
{
    /// <returns><paramref name="count"/> different numbers below <paramref name="tokens"/>, ascending.</returns>
    public static int[] Draw(int count, int tokens, long seed, string id)
    {
        var order = Enumerable.Range(0, tokens).ToArray();
        if (count < tokens)
        {
            var random = new SeededRandom(seed, "tokens of " + id);
            for (var i = 0; i < count; i++)
            {
                var other = i + (int)(random.NextDouble() * (tokens - i));
                (order[i], order[other]) = (order[other], order[i]);
            }
        }

        var drawn = order[..count];
        Array.Sort(drawn);
        return drawn;
    }
}
