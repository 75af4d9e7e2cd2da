namespace ClipSae.Sae.Kernels;

/// <summary>
/// The active latents of a batch, by row and, after <see cref="GroupByLatent"/>, by latent: for each latent the places (row·k + slot) where
/// it is active, in order of the rows. Buffers are reused from step to step.
/// </summary>
internal sealed unsafe class ActiveLatents
{
    private readonly int[] _indices;
    private readonly float[] _values;
    private readonly float[] _gradients;
    private readonly int[] _places;
    private readonly int[] _starts;

    public ActiveLatents(int rows, int k, int latents)
    {
        (Rows, K, Latents) = (rows, k, latents);
        _indices = PinnedArray.Create<int>(rows * k);
        _values = PinnedArray.Create<float>(rows * k);
        _gradients = PinnedArray.Create<float>(rows * k);
        _places = PinnedArray.Create<int>(rows * k);
        _starts = PinnedArray.Create<int>(latents + 1);
    }

    public int Rows { get; }

    /// <summary>Slots a row.</summary>
    public int K { get; }

    public int Latents { get; }

    /// <summary>Latent of each slot, rising within a row; −1 in slots not used, which are the last of the row.</summary>
    public int* Indices => PinnedArray.Address(_indices);

    /// <summary>Activation of each slot, above 0; 0 in slots not used.</summary>
    public float* Values => PinnedArray.Address(_values);

    /// <summary>Gradient of the loss with respect to the activation of each slot.</summary>
    public float* Gradients => PinnedArray.Address(_gradients);

    /// <summary>Places grouped by latent.</summary>
    public int* Places => PinnedArray.Address(_places);

    /// <summary>Where each latent's places start; one more entry closes the last.</summary>
    public int* Starts => PinnedArray.Address(_starts);

    /// <summary>Counting sort of the places by latent.</summary>
    public void GroupByLatent()
    {
        var index = Indices;
        var start = Starts;
        var place = Places;
        Array.Clear(_starts);
        for (var i = 0; i < Rows * K; i++)
        {
            if (index[i] >= 0)
            {
                start[index[i] + 1]++;
            }
        }

        for (var latent = 0; latent < Latents; latent++)
        {
            start[latent + 1] += start[latent];
        }

        for (var i = 0; i < Rows * K; i++)
        {
            if (index[i] >= 0)
            {
                place[start[index[i]]++] = i;
            }
        }

        for (var latent = Latents; latent > 0; latent--)
        {
            start[latent] = start[latent - 1];
        }

        start[0] = 0;
    }
}
