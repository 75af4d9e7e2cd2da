using ClipSae.Results.Evaluation;
using ClipSae.WeightConversion;

namespace ClipSae.Cli.Sweeping;

/// <summary>What a sweep gave.</summary>
/// <param name="Alphas">The shares, rising.</param>
/// <param name="Sets">The sets.</param>
/// <param name="Scores">Metrics of each model, in order of α, by the name under which a set is scored.</param>
/// <param name="Validation">Clean and attacked accuracy on the sets that choose, means over the sets of a kind.</param>
/// <param name="Test">The same on the other sets; empty where these are not of both kinds.</param>
/// <param name="Rule">How α was chosen.</param>
/// <param name="Chosen">The chosen point of <paramref name="Validation"/>.</param>
internal sealed record AlphaSweepResult(
    IReadOnlyList<double> Alphas,
    IReadOnlyList<SweepSet> Sets,
    IReadOnlyList<IReadOnlyDictionary<string, SetScores>> Scores,
    IReadOnlyList<FrontierPoint> Validation,
    IReadOnlyList<FrontierPoint> Test,
    AlphaRule Rule,
    FrontierPoint Chosen
)
{
    /// <summary>Whether α can be chosen by sets of these protocols; asked before hours of scoring.</summary>
    /// <exception cref="UserErrorException">None is clean, or none attacked.</exception>
    public static void RequireBothKinds(IReadOnlyList<(string Name, string Protocol)> choosing) =>
        UserErrorException.ThrowIf(
            !choosing.Any(set => set.Protocol == Protocols.Clean) || !choosing.Any(set => set.Protocol == Protocols.Attacked),
            $"--validation: α is chosen by clean and attacked accuracy together, so it needs a set of each kind; "
                + $"given are {string.Join(", ", choosing.Select(set => $"{set.Name} ({set.Protocol})"))}"
        );

    /// <param name="sets">Of those that choose, one at least is clean and one attacked.</param>
    public static AlphaSweepResult Of(IReadOnlyList<double> alphas, IReadOnlyList<SweepSet> sets, EvaluationResults results, AlphaRule rule)
    {
        var protocols = results.Sets.ToDictionary(set => set.Name, set => set.Protocol, StringComparer.Ordinal);
        IReadOnlyDictionary<string, SetScores>[] scores = [.. results.Models.Select(model => model.Sets)];
        var validation = Points(chooses: true);
        return new AlphaSweepResult(alphas, sets, scores, validation, Points(chooses: false), rule, rule.Choose(validation));

        FrontierPoint[] Points(bool chooses)
        {
            var (clean, attacked) = (Of(Protocols.Clean), Of(Protocols.Attacked));
            return clean.Length == 0 || attacked.Length == 0
                ? []
                : [.. alphas.Select((alpha, place) => new FrontierPoint(alpha, Mean(place, clean), Mean(place, attacked)))];

            string[] Of(string protocol) =>
                [.. sets.Where(set => set.Chooses == chooses && protocols[set.Set.Name] == protocol).Select(set => set.Set.Name)];
        }

        double Mean(int place, string[] names) => names.Average(name => scores[place][name].Accuracy.Value);
    }
}
