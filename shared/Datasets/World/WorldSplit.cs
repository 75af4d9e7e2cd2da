using ClipSae.Datasets.Drawing;

namespace ClipSae.Datasets.World;

/// <summary>One part of the synthetic world: how many pictures, and what they may show.</summary>
/// <param name="Name">Such as "train" or "attacked-heldout".</param>
/// <param name="Folder">Where it is written, relative to the data set's folder.</param>
/// <param name="Count">Pictures.</param>
/// <param name="Mix">Shares of the kinds of pictures; they add up to 1.</param>
/// <param name="Objects">Object classes shown.</param>
/// <param name="Words">Words that may be printed.</param>
/// <param name="Fonts">Names of faces that may be used.</param>
/// <param name="IsEvaluation">Balanced over the classes and written with labels.</param>
public sealed record WorldSplit(
    string Name,
    string Folder,
    int Count,
    IReadOnlyDictionary<WorldKind, double> Mix,
    IReadOnlyList<string> Objects,
    IReadOnlyList<string> Words,
    IReadOnlyList<string> Fonts,
    bool IsEvaluation
)
{
    /// <summary>The splits that make up a world, in the order they are written.</summary>
    public static IReadOnlyList<WorldSplit> All(SyntheticWorldOptions options, FontCatalogue fonts)
    {
        var training = Mix(options.PosterShare);
        var tuned = Mix(posters: 0);
        IReadOnlyList<string> every = [.. fonts.All.Select(face => face.Name)];
        IReadOnlyList<string> tuning = [.. fonts.Tuning.Select(face => face.Name)];
        IReadOnlyList<string> heldOut = [.. fonts.HeldOut.Select(face => face.Name)];
        var objects = WorldVocabulary.Objects;
        IReadOnlyList<string> shown = options.ExcludeHeldOutObjects ? [.. objects.Except(WorldVocabulary.HeldOutObjects)] : objects;

        Dictionary<WorldKind, double> Mix(double posters) =>
            new()
            {
                // Where no posters are, there are plain objects in their place.
                [WorldKind.Object] = options.ObjectShare + options.PosterShare - posters,
                [WorldKind.OwnName] = options.OwnNameShare,
                [WorldKind.Poster] = posters,
                [WorldKind.Word] = 1 - options.ObjectShare - options.OwnNameShare - options.PosterShare,
            };
        WorldSplit Evaluation(string name, WorldKind kind, IReadOnlyList<string> words, IReadOnlyList<string> faces) =>
            new(
                name,
                $"evaluation/{name}",
                options.EvaluationImages,
                new Dictionary<WorldKind, double> { [kind] = 1 },
                objects,
                words,
                faces,
                true
            );

        // The words of an attack are object names where the base has learned what they mean; the held-out set takes all its words.
        IReadOnlyList<string> attackWords = [.. WorldVocabulary.TuningWords.Intersect(objects)];
        return
        [
            new WorldSplit("train", "train", options.TrainImages, training, objects, WorldVocabulary.Words, every, false),
            new WorldSplit("tuning", "tuning", options.TuningImages, tuned, shown, WorldVocabulary.TuningWords, tuning, false),
            Evaluation("clean", WorldKind.Object, [], []),
            Evaluation("attacked", WorldKind.Attacked, attackWords, tuning),
            Evaluation("attacked-heldout", WorldKind.Attacked, WorldVocabulary.HeldOutWords, heldOut),
            Evaluation("words", WorldKind.Word, WorldVocabulary.TuningWords, tuning),
            Evaluation("words-heldout", WorldKind.Word, WorldVocabulary.HeldOutWords, heldOut),
        ];
    }
}
