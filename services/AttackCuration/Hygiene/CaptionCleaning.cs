using System.Text.Json;
using ClipSae.AttackCuration.Images;
using ClipSae.AttackCuration.Settings;
using ClipSae.Datasets;
using ClipSae.Results.Curation;

namespace ClipSae.AttackCuration.Hygiene;

/// <summary>What <see cref="CaptionHygiene"/> makes of the findings.</summary>
/// <param name="Captions">New captions of pictures, by id; none where the picture is left out.</param>
/// <param name="Hidden">Patches of pictures that are painted over for fine-tuning, by id.</param>
public sealed record CaptionCleaning(
    IReadOnlyDictionary<string, IReadOnlyList<string>> Captions,
    IReadOnlyDictionary<string, IReadOnlyList<int>> Hidden
)
{
    public static CaptionCleaning Of(
        CaptionCheck.Result result,
        CurationImages pictures,
        IReadOnlyList<string> vocabulary,
        AttackCurationOptions options
    )
    {
        var captions = new SortedDictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        var hidden = new SortedDictionary<string, IReadOnlyList<int>>(StringComparer.Ordinal);
        switch (options.CaptionHygiene)
        {
            case CaptionHygiene.Drop or CaptionHygiene.Reword or CaptionHygiene.Hide:
                foreach (var finding in result.Found)
                {
                    captions[finding.Image.Item.Id] =
                        options.CaptionHygiene == CaptionHygiene.Reword
                            ? CaptionWords.Without(finding.Image.Item, finding.Word, vocabulary)
                            : [];
                }

                break;
            case CaptionHygiene.DropRandom or CaptionHygiene.HideRandom:
                var order = pictures.All.Select(picture => picture.Item.Id).ToArray();
                new SeededRandom(options.Seed, "random captions").Shuffle(order);
                foreach (var id in order.Take(result.Found.Count))
                {
                    captions[id] = [];
                }

                break;
        }

        if (options.CaptionHygiene is CaptionHygiene.Hide or CaptionHygiene.HideRandom)
        {
            var found = result.Found.Select(finding => finding.Image.Item.Id).ToHashSet(StringComparer.Ordinal);
            var painted = result.Printed.Where(printed => !found.Contains(printed.Image.Item.Id)).ToArray();
            var ids = painted.Select(printed => printed.Image.Item.Id).ToArray();
            if (options.CaptionHygiene == CaptionHygiene.HideRandom)
            {
                ids = [.. pictures.All.Select(picture => picture.Item.Id).Where(id => !captions.ContainsKey(id))];
                new SeededRandom(options.Seed, "random print").Shuffle(ids);
            }

            foreach (var (id, printed) in ids.Zip(painted))
            {
                hidden[id] = printed.Patches;
            }
        }

        return new CaptionCleaning(captions, hidden);
    }

    /// <summary>
    /// The pictures that attacks may be made of: those whose captions stand, and that seem to be without print where print is hidden.
    /// </summary>
    public CurationImages Apply(CurationImages pictures)
    {
        ImageSource[] Left(IReadOnlyList<ImageSource> of) =>
            [.. of.Where(picture => !Captions.ContainsKey(picture.Item.Id) && !Hidden.ContainsKey(picture.Item.Id))];
        return pictures with { Plain = Left(pictures.Plain), Apart = Left(pictures.Apart), All = Left(pictures.All) };
    }

    /// <summary>For fine-tuning, the report and people.</summary>
    public CaptionFindings Findings(CaptionCheck.Result result, PrintDetector detector, CaptionHygiene action) =>
        new(
            JsonNamingPolicy.CamelCase.ConvertName(action.ToString()),
            result.Images,
            result.Examined,
            Math.Round(result.Share, 4),
            new PrintDetectorQuality(
                [.. detector.Hooks.Select(hook => hook.ToString())],
                detector.Features,
                Math.Round(detector.Auroc, 4),
                Math.Round(detector.RandomAuroc, 4),
                result.HiddenGround,
                Math.Round(result.Separation, 4)
            ),
            [
                .. result
                    .Found.OrderByDescending(finding => finding.Probability)
                    .ThenBy(finding => finding.Image.Item.Id, StringComparer.Ordinal)
                    .Select(finding => new CaptionFinding(
                        finding.Image.Item.Id,
                        finding.Word,
                        finding.Image.Item.Captions[0],
                        Math.Round(finding.Evidence.Print, 4),
                        Math.Round(finding.Evidence.Margin, 4),
                        Math.Round(finding.Evidence.Remaining, 4),
                        Math.Round(finding.Probability, 4)
                    )),
            ],
            Captions
        )
        {
            Hidden = Hidden.Count > 0 ? Hidden : null,
        };
}
