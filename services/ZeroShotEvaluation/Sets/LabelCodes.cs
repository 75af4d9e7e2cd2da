using System.Globalization;
using System.Text.RegularExpressions;
using ClipSae.ZeroShotEvaluation.Settings;

namespace ClipSae.ZeroShotEvaluation.Sets;

/// <summary>
/// Labels that are codes, WordNet ids as ImageNet's folders have them (<c>n02119789</c>) or numbers, in place of names: no model knows what
/// they mean, so they are given names or refused.
/// </summary>
internal static partial class LabelCodes
{
    /// <summary>
    /// The set with names for labels: those of <see cref="EvaluationOptions.ClassNames"/>, else <see cref="EvaluationOptions.Classes"/> in
    /// the order of the codes.
    /// </summary>
    /// <exception cref="UserErrorException">All labels are codes and nothing names them.</exception>
    public static SetImages Named(SetImages set, EvaluationOptions options)
    {
        if (set.Choices is not null || set.Protocol is EvaluationProtocol.Retrieval)
        {
            return set;
        }

        string[] labels = [.. set.Images.Select(image => image.Label).Distinct(StringComparer.Ordinal)];
        var names = options.ClassNames.Count > 0 ? options.ClassNames : InOrder(set.Name, labels, options.Classes);
        return names.Count == 0
            ? set
            : set with
            {
                Images =
                [
                    .. set.Images.Select(image => names.TryGetValue(image.Label, out var name) ? image with { Label = name } : image),
                ],
            };
    }

    private static IReadOnlyDictionary<string, string> InOrder(string set, string[] labels, IReadOnlyList<string> classes)
    {
        var areIds = labels.Length > 0 && labels.All(label => WordNetId().IsMatch(label));
        var areNumbers = labels.Length > 0 && labels.All(label => label.All(char.IsAsciiDigit));
        // Digits may be meant as such, where they are among the classes that were named.
        if (!(areIds || areNumbers) || labels.Any(label => classes.Contains(label, StringComparer.OrdinalIgnoreCase)))
        {
            return new Dictionary<string, string>();
        }

        if (areIds && classes.Count == labels.Length)
        {
            return labels
                .Order(StringComparer.Ordinal)
                .Zip(classes)
                .ToDictionary(pair => pair.First, pair => pair.Second, StringComparer.Ordinal);
        }

        if (areNumbers && classes.Count > 0 && labels.All(label => Number(label) < classes.Count))
        {
            return labels.ToDictionary(label => label, label => classes[Number(label)], StringComparer.Ordinal);
        }

        var (kind, order) = areIds
            ? ("WordNet ids", "as many names as there are ids, in their order")
            : ("numbers", "the names in the order of the numbers, from 0");
        throw new UserErrorException(
            $"evaluation set {set}: its labels are {kind} "
                + $"({string.Join(", ", labels.Order(StringComparer.Ordinal).Take(2))}{(labels.Length > 2 ? ", …" : "")}), "
                + "which no model knows as class names. Give them names: "
                + $"--class-names FILE with lines such as \"{labels[0]} kit fox\", or --classes FILE with {order}"
        );
    }

    private static int Number(string label) =>
        int.TryParse(label, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : int.MaxValue;

    [GeneratedRegex("^n[0-9]{8}$", RegexOptions.CultureInvariant)]
    private static partial Regex WordNetId();
}
