using System.Globalization;

namespace ClipSae.AttackCuration.Salience;

/// <summary>
/// Which autoencoders curation may choose from. One that reconstructs worse than the mean of the activations would (a negative explained
/// variance) has features that mean nothing, and an hour of fine-tuning on what it finds cannot end well.
/// </summary>
/// <param name="Explained">By the autoencoder's name its explained variance on held-out images; null where its statistics are not among the
/// inputs.</param>
public sealed record UsefulAutoencoders(IReadOnlyList<(string Name, double? Explained)> Explained)
{
    /// <summary>Names of those that explain enough, in their order.</summary>
    /// <param name="floor">The least explained variance (<c>curation.minExplained</c>).</param>
    /// <exception cref="UserErrorException">None does.</exception>
    public IReadOnlyList<string> Require(double floor)
    {
        string[] useful =
        [
            .. Explained
                .Where(autoencoder => autoencoder.Explained is not { } share || share >= floor)
                .Select(autoencoder => autoencoder.Name),
        ];
        if (useful.Length > 0)
        {
            return useful;
        }

        var best = Explained.MaxBy(autoencoder => autoencoder.Explained);
        var others = Explained.Count > 1 ? $", the best of {Explained.Count} autoencoders," : "";
        throw new UserErrorException(
            string.Create(
                CultureInfo.InvariantCulture,
                $"attack-curation: {best.Name}{others} explains {best.Explained:P1} of the variance of its activations (less than "
                    + $"curation.minExplained = {floor:P0}), so its features mean nothing. Use more images, more sae.epochs or a "
                    + $"smaller sae.batchSize. To continue anyway: --set curation.minExplained={Math.Floor(best.Explained!.Value):0}"
            )
        );
    }
}
