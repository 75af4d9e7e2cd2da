namespace ClipSae.ZeroShotEvaluation;

/// <summary>What is asked of a model on a set of images.</summary>
public abstract record EvaluationProtocol
{
    private EvaluationProtocol()
    {
    }

    /// <summary>Name in results.</summary>
    public abstract string Name { get; }

    /// <summary>The protocol of a set: told by its name (<c>clean</c>, <c>attacked…</c>, <c>words…</c>), else by what its images carry.</summary>
    public static EvaluationProtocol For(string set, IReadOnlyList<EvaluationImage> images) => set switch
    {
        _ when set.StartsWith("clean", StringComparison.Ordinal) => new Clean(),
        _ when set.StartsWith("attacked", StringComparison.Ordinal) => new Attacked(),
        _ when set.StartsWith("words", StringComparison.Ordinal) => new Words(),
        _ when !images.Any(image => image.Word is not null) => new Clean(),
        _ when images.All(image => image.Word is null || image.Word == image.Label) => new Words(),
        _ => new Attacked(),
    };

    /// <summary>An object without print: argmax over the object classes.</summary>
    public sealed record Clean : EvaluationProtocol
    {
        public override string Name => "clean";
    }

    /// <summary>An object with a foreign word on it: argmax over objects and attack words, and object against word.</summary>
    public sealed record Attacked : EvaluationProtocol
    {
        public override string Name => "attacked";
    }

    /// <summary>A word alone: argmax over objects and words is the printed word.</summary>
    public sealed record Words : EvaluationProtocol
    {
        public override string Name => "words";
    }
}
