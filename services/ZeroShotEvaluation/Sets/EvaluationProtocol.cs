using ClipSae.Results.Evaluation;

namespace ClipSae.ZeroShotEvaluation.Sets;

/// <summary>What is asked of a model on a set of images.</summary>
public abstract record EvaluationProtocol
{
    private static readonly string[] WorldNames = [Protocols.Clean, Protocols.Attacked, Protocols.Words];

    private EvaluationProtocol() { }

    /// <summary>Name in results.</summary>
    public abstract string Name { get; }

    /// <summary>
    /// The protocol of a set: recognised by its name (<c>clean</c>, <c>attacked…</c>, <c>words…</c>, <c>retrieval…</c>), else by what its
    /// images carry.
    /// </summary>
    public static EvaluationProtocol For(string set, IReadOnlyList<EvaluationImage> images) =>
        set switch
        {
            _ when IsRetrieval(set) => new Retrieval(),
            _ when set.StartsWith(Protocols.Clean, StringComparison.Ordinal) => new Clean(),
            _ when set.StartsWith(Protocols.Attacked, StringComparison.Ordinal) => new Attacked(),
            _ when set.StartsWith(Protocols.Words, StringComparison.Ordinal) => new Words(),
            _ when !images.Any(image => image.Word is not null) => new Clean(),
            _ when images.All(image => image.Word is null || image.Word == image.Label) => new Words(),
            _ => new Attacked(),
        };

    /// <summary>The protocol of a set by what its shards say of its images; no picture is decoded.</summary>
    /// <exception cref="UserErrorException">The set is empty, or a shard is damaged.</exception>
    public static EvaluationProtocol Of(EvaluationSet set, CancellationToken cancel) => SetListing.Read(set, cancel).Protocol;

    /// <summary>Whether a set is asked for captions, so that its images need no labels.</summary>
    public static bool IsRetrieval(string set) => set.StartsWith(Protocols.Retrieval, StringComparison.Ordinal);

    /// <summary>Whether a set shares its classes with the others of the known names; any other set stands for itself.</summary>
    public static bool SharesClasses(string set) => WorldNames.Any(name => set.StartsWith(name, StringComparison.Ordinal));

    /// <summary>
    /// An object without print: argmax over the object classes; where each image names a word, also object against that absent word
    /// (NoSCAM).
    /// </summary>
    public sealed record Clean : EvaluationProtocol
    {
        public override string Name => Protocols.Clean;
    }

    /// <summary>An object with a foreign word on it: argmax over objects and attack words, and object against word.</summary>
    public sealed record Attacked : EvaluationProtocol
    {
        public override string Name => Protocols.Attacked;
    }

    /// <summary>A word alone: argmax over objects and words is the printed word.</summary>
    public sealed record Words : EvaluationProtocol
    {
        public override string Name => Protocols.Words;
    }

    /// <summary>Captions: which of all captions fits an image, and which of all images a caption.</summary>
    public sealed record Retrieval : EvaluationProtocol
    {
        public override string Name => Protocols.Retrieval;
    }
}
