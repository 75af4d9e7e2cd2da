using System.Text.Json;
using ClipSae.AttackCuration.Attacks;
using ClipSae.AttackCuration.Words;
using ClipSae.Datasets.Drawing;
using ClipSae.Results.Curation;

namespace ClipSae.AttackCuration.RedTeam;

/// <summary>
/// The ways of printing that attacks are made in, after the search: which families train and how often, and which are held out.
/// </summary>
/// <param name="Found">What the search found.</param>
/// <param name="Trained">Families that attacks are printed in, with their weights.</param>
/// <param name="HeldOut">Families that training never sees; they judge it.</param>
/// <param name="Words">Weights of the kinds of words.</param>
public sealed record Ways(
    FamilySearch.Result Found,
    IReadOnlyList<(PrintFamily Family, double Weight)> Trained,
    IReadOnlyList<PrintFamily> HeldOut,
    IReadOnlyDictionary<WordKind, double> Words
)
{
    /// <summary>Share of the candidates that is spread evenly, so that no family is given up on a few tries.</summary>
    private const double Floor = 0.25;

    /// <summary>
    /// Of the families in the order of their rates every fourth is held out, beginning with the second: well read ones and others.
    /// </summary>
    private const int HeldOutEvery = 4;

    /// <summary>Fewest families of which some are held out.</summary>
    private const int MinFamilies = 4;

    /// <summary>Below this share of printed words that fool it, a model hardly reads a style.</summary>
    public const double HardlyRead = 0.2;

    /// <summary>Decides.</summary>
    /// <param name="found">With a rate for each of the families, in their order.</param>
    /// <param name="families">Those that were searched.</param>
    /// <param name="stock">Words that there are.</param>
    public static Ways Of(FamilySearch.Result found, IReadOnlyList<PrintFamily> families, WordStock stock)
    {
        var rates = families.Zip(found.Families).ToArray();
        var heldOut =
            families.Count < MinFamilies
                ? (HashSet<string>)[]
                : rates
                    .OrderByDescending(of => of.Second.Expected)
                    .ThenBy(of => Array.IndexOf(rates, of))
                    .Where((_, place) => place % HeldOutEvery == 1)
                    .Select(of => of.First.Name)
                    .ToHashSet(StringComparer.Ordinal);
        var trained = rates.Where(of => !heldOut.Contains(of.First.Name)).ToArray();
        var weights = Weights(trained.Select(of => of.Second));
        var kinds = Weights(found.Words);
        return new Ways(
            found,
            [.. trained.Select((of, place) => (of.First, weights[place]))],
            [.. families.Where(family => heldOut.Contains(family.Name))],
            stock.Kinds.Select((kind, place) => (kind, place)).ToDictionary(of => of.kind, of => kinds[of.place])
        );
    }

    /// <summary>How options and tables call a kind of word.</summary>
    public static string Written(WordKind kind) => JsonNamingPolicy.CamelCase.ConvertName(kind.ToString());

    /// <summary>One entry a family, then what is known of kinds of words.</summary>
    /// <param name="candidates">What was printed after the search.</param>
    /// <param name="attacks">What was chosen.</param>
    public RedTeamMetrics Metrics(IReadOnlyList<AttackCandidate> candidates, IReadOnlyList<AttackCandidate> attacks)
    {
        var heldOut = HeldOut.Select(family => family.Name).ToHashSet(StringComparer.Ordinal);
        FamilyAttacks Entry(FamilyRate found)
        {
            var own = candidates.Where(candidate => candidate.Family == found.Name).ToArray();
            return new FamilyAttacks(
                found.Name,
                heldOut.Contains(found.Name),
                found.Tried + own.Length,
                found.Fooled + own.Count(candidate => candidate.Fooled),
                attacks.Count(attack => attack.Family == found.Name)
            );
        }

        return new RedTeamMetrics(
            [.. Found.Families.Select(Entry)],
            [.. Found.Words.Select(found => new WordRate(found.Name, found.Tried, found.Fooled))]
        );
    }

    private static double[] Weights(IEnumerable<FamilyRate> rates)
    {
        var expected = rates.Select(rate => rate.Expected).ToArray();
        var sum = expected.Sum();
        return [.. expected.Select(rate => (Floor / expected.Length) + ((1 - Floor) * rate / sum))];
    }
}
