using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.AttackCuration.Images;
using ClipSae.AttackCuration.Settings;
using ClipSae.AttackCuration.Words;
using ClipSae.Datasets;
using ClipSae.Datasets.Drawing;
using ClipSae.Datasets.Shards;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Resizing;

namespace ClipSae.AttackCuration.RedTeam;

/// <summary>
/// Pictures that no attack is printed on, with words in every family: fine-tuning is judged by the families that it never sees, and the
/// base is compared with what comes out of it family by family. They are printed as they come, not chosen by what fools the model, so that
/// shares of them are shares of such print.
/// </summary>
public sealed class FamilyImages
{
    /// <summary>Most pictures in families that are held out, which every validation looks at.</summary>
    private const int MaxHeldOut = 512;

    /// <summary>Most in each family that is trained in, looked at before and after.</summary>
    private const int MaxOfTrained = 32;

    private readonly List<(DatasetItem Item, byte[] Png)> _pictures = [];

    public int Count => _pictures.Count;

    /// <summary>Prints on the pictures set apart.</summary>
    /// <param name="clean">The classifier's logits of each of them without print.</param>
    public static FamilyImages Draw(
        IReadOnlyList<ImageSource> sources,
        IReadOnlyList<float[]> clean,
        Ways ways,
        WordChooser words,
        FontCatalogue fonts,
        ResizeTarget target,
        AttackCurationOptions options
    )
    {
        var all = new FamilyImages();
        foreach (
            var (family, isHeldOut) in ways.HeldOut.Select(family => (family, true)).Concat(ways.Trained.Select(of => (of.Family, false)))
        )
        {
            var count = Math.Min(sources.Count, isHeldOut ? MaxHeldOut / ways.HeldOut.Count : MaxOfTrained);
            var printer = Printer.Of(fonts, [(family, 1)], target);
            var drawn = new (DatasetItem Item, byte[] Png)[count];
            Parallel.For(0, count, i =>
            {
                var random = new SeededRandom(options.Seed, "family picture " + family.Name, i);
                var word = words.Choose(words.Kind(random), sources[i], clean[i], words.WrongOn(sources[i]), [], random);
                var image = sources[i].Canvas(target);
                var shown = printer.Plan(word, image, random).Shown;
                var attributes = new JsonObject
                {
                    ["kind"] = "family",
                    ["family"] = family.Name,
                    ["heldOut"] = isHeldOut,
                    ["source"] = sources[i].Item.Id,
                    ["word"] = word,
                    ["font"] = shown[0].Font,
                };
                drawn[i] = (
                    new DatasetItem($"{family.Name}-{i:D4}.png", sources[i].Item.Captions, sources[i].Label, attributes),
                    PngEncoder.Encode(printer.Paint(image, shown))
                );
            });
            all._pictures.AddRange(drawn);
        }

        return all;
    }

    /// <summary>Writes them as the artifact <c>families</c>, which is empty where there was no search.</summary>
    public Task<ArtifactRef> StoreAsync(IArtifactStore store, string scratch, CancellationToken cancel)
    {
        var path = Path.Combine(scratch, "families.tar");
        DatasetShard.Write(path, _pictures);
        return store.TakeFileAsync(path, OutputNames.Families, DatasetShard.MediaType, cancel);
    }
}
