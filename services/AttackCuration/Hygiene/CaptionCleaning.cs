using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Datasets;

namespace ClipSae.AttackCuration;

/// <summary>What <see cref="CaptionHygiene"/> makes of the findings.</summary>
/// <param name="Captions">New captions of pictures, by id; none where the picture is left out.</param>
/// <param name="Hidden">Patches of pictures that are painted over for fine-tuning, by id.</param>
public sealed record CaptionCleaning(IReadOnlyDictionary<string, IReadOnlyList<string>> Captions, IReadOnlyDictionary<string, IReadOnlyList<int>> Hidden)
{
    public static CaptionCleaning Of(CaptionCheck.Result result, Pictures pictures, IReadOnlyList<string> vocabulary, AttackCurationOptions options)
    {
        var captions = new SortedDictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        var hidden = new SortedDictionary<string, IReadOnlyList<int>>(StringComparer.Ordinal);
        switch (options.CaptionHygiene)
        {
            case CaptionHygiene.Drop or CaptionHygiene.Reword or CaptionHygiene.Hide:
                foreach (var finding in result.Found)
                {
                    captions[finding.Picture.Item.Id] = options.CaptionHygiene == CaptionHygiene.Reword ? CaptionWords.Without(finding.Picture.Item, finding.Word, vocabulary) : [];
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
            var painted = result.Printed.Where(printed => !result.Found.Any(finding => finding.Picture == printed.Picture)).ToArray();
            var random = options.CaptionHygiene == CaptionHygiene.HideRandom
                ? pictures.All.Select(picture => picture.Item.Id).Where(id => !captions.ContainsKey(id)).ToArray()
                : [];
            new SeededRandom(options.Seed, "random print").Shuffle(random);
            foreach (var ((picture, patches), place) in painted.Select((one, place) => (one, place)))
            {
                hidden[random.Length == 0 ? picture.Item.Id : random[place]] = patches;
            }
        }

        return new CaptionCleaning(captions, hidden);
    }

    /// <summary>The pictures that attacks may be made of: those whose captions stand, and that seem to be without print where print is hidden.</summary>
    public Pictures Apply(Pictures pictures)
    {
        PictureSource[] Left(IReadOnlyList<PictureSource> of) => [.. of.Where(picture => !Captions.ContainsKey(picture.Item.Id) && !Hidden.ContainsKey(picture.Item.Id))];
        return pictures with { Plain = Left(pictures.Plain), Apart = Left(pictures.Apart), All = Left(pictures.All) };
    }

    /// <summary>For fine-tuning, the report and people.</summary>
    public JsonObject ToJson(CaptionCheck.Result result, PrintDetector detector, CaptionHygiene action)
    {
        var json = Findings(result, detector, action);
        if (Hidden.Count > 0)
        {
            json["hidden"] = new JsonObject(Hidden.Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)new JsonArray([.. entry.Value.Select(patch => (JsonNode)patch)]))));
        }

        return json;
    }

    private JsonObject Findings(CaptionCheck.Result result, PrintDetector detector, CaptionHygiene action) => new()
    {
        ["action"] = JsonNamingPolicy.CamelCase.ConvertName(action.ToString()),
        ["pictures"] = result.Pictures,
        ["examined"] = result.Examined,
        ["share"] = Math.Round(result.Share, 4),
        ["detector"] = new JsonObject
        {
            ["hooks"] = new JsonArray([.. detector.Hooks.Select(hook => (JsonNode)hook.ToString())]),
            ["features"] = detector.Features,
            ["auroc"] = Math.Round(detector.Auroc, 4),
            ["randomAuroc"] = Math.Round(detector.RandomAuroc, 4),
            ["hiddenGround"] = result.HiddenGround,
            ["separation"] = Math.Round(result.Separation, 4),
        },
        ["found"] = new JsonArray([.. result.Found.OrderByDescending(finding => finding.Probability).ThenBy(finding => finding.Picture.Item.Id, StringComparer.Ordinal).Select(finding => (JsonNode)new JsonObject
        {
            ["id"] = finding.Picture.Item.Id,
            ["word"] = finding.Word,
            ["caption"] = finding.Picture.Item.Captions[0],
            ["print"] = Math.Round(finding.Evidence.Print, 4),
            ["margin"] = Math.Round(finding.Evidence.Margin, 4),
            ["remaining"] = Math.Round(finding.Evidence.Remaining, 4),
            ["probability"] = Math.Round(finding.Probability, 4),
        })]),
        ["captions"] = new JsonObject(Captions.Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)new JsonArray([.. entry.Value.Select(text => (JsonNode)text)])))),
    };
}
