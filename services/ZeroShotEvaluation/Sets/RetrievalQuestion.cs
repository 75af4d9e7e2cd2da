namespace ClipSae.ZeroShotEvaluation.Sets;

/// <summary>
/// Which captions belong to which images of a set. A text that several images carry is one caption, right for each of them. Captions of
/// images that turn out unreadable stay among the choices.
/// </summary>
internal sealed record RetrievalQuestion
{
    private RetrievalQuestion(SetImages set, IReadOnlyList<string> captions, int[][] captionsOf)
    {
        Set = set;
        Captions = captions;
        CaptionsOf = captionsOf;
    }

    public SetImages Set { get; private init; }

    public string Name => Set.Name;

    /// <summary>The different captions.</summary>
    public IReadOnlyList<string> Captions { get; }

    /// <summary>Captions of each image.</summary>
    public int[][] CaptionsOf { get; private init; }

    /// <exception cref="UserErrorException">There are fewer than two images or captions.</exception>
    public static RetrievalQuestion Ask(SetImages set)
    {
        var index = new Dictionary<string, int>(StringComparer.Ordinal);
        int Place(string caption)
        {
            index.TryAdd(caption, index.Count);
            return index[caption];
        }

        int[][] captionsOf = [.. set.Images.Select(image => image.Captions.Select(Place).Distinct().ToArray())];
        return set.Images.Count >= 2 && index.Count >= 2
            ? new RetrievalQuestion(set, [.. index.OrderBy(entry => entry.Value).Select(entry => entry.Key)], captionsOf)
            : throw new UserErrorException(
                $"evaluation set {set.Name}: {set.Images.Count} images with {index.Count} different captions; "
                    + "retrieval needs at least two of each"
            );
    }

    /// <summary>Images of each caption; none for a caption whose images were set aside.</summary>
    public int[][] ImagesOf()
    {
        var images = Captions.Select(_ => new List<int>()).ToArray();
        for (var image = 0; image < CaptionsOf.Length; image++)
        {
            foreach (var caption in CaptionsOf[image])
            {
                images[caption].Add(image);
            }
        }

        return [.. images.Select(list => list.ToArray())];
    }

    /// <summary>Sets images aside.</summary>
    /// <param name="reasons">Why, by the image's index.</param>
    public RetrievalQuestion Without(IReadOnlyDictionary<int, string> reasons) =>
        this with
        {
            Set = Set.Without(reasons),
            CaptionsOf = [.. CaptionsOf.Where((_, image) => !reasons.ContainsKey(image))],
        };
}
