using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Clip.Preprocessing;
using ClipSae.Datasets;
using ClipSae.Datasets.Drawing;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using ClipSae.Imaging.Resizing;

namespace ClipSae.Cli.AttackSets;

/// <summary>
/// Prints wrong words on labelled pictures, for sets to evaluate on: what a model sees of each picture, as it is and with a word.
/// Everything follows from the seed.
/// </summary>
/// <param name="fonts">Faces to print with.</param>
/// <param name="side">Pixels a side of what is written: the square that CLIP crops.</param>
/// <param name="seed">Seed of words, faces and places.</param>
internal sealed class AttackSetWriter(FontCatalogue fonts, int side, long seed)
{
    /// <summary>The file that makes a folder of pictures a set; written last, so that half a set is none.</summary>
    public const string CaptionsName = "captions.json";

    private static readonly JsonSerializerOptions Readable = new(ContractJson.Options) { WriteIndented = true };

    private readonly WordPainter _painter = new(fonts);

    /// <summary>A set to write.</summary>
    /// <param name="Name">Its folder.</param>
    /// <param name="Words">Words to print; empty leaves the pictures as they are.</param>
    /// <param name="Faces">Faces to print in.</param>
    /// <param name="Style">How.</param>
    public sealed record Kind(string Name, IReadOnlyList<string> Words, IReadOnlyList<string> Faces, WordStyle Style);

    /// <summary>Writes a set.</summary>
    /// <param name="pictures">Labelled pictures.</param>
    /// <param name="folder">Where the set's folder is made.</param>
    /// <param name="written">Called after each picture.</param>
    /// <returns>Pictures written; those are left out of which every word is true.</returns>
    public int Write(
        Kind kind,
        IEnumerable<(DatasetItem Item, ReadOnlyMemory<byte> Bytes)> pictures,
        string folder,
        Action written,
        CancellationToken cancel
    )
    {
        var target = Directory.CreateDirectory(Path.Combine(folder, kind.Name)).FullName;
        var planner = new WordPlanner(fonts, kind.Style);
        var rows = new JsonArray();
        foreach (var (index, (item, bytes)) in pictures.Index())
        {
            cancel.ThrowIfCancellationRequested();
            var random = new SeededRandom(seed, $"attack-set {kind.Name}", index);
            string[] wrong = [.. kind.Words.Where(word => !ShownClass.IsTrue(word, item))];
            if (kind.Words.Count > 0 && wrong.Length == 0)
            {
                continue;
            }

            var image = Square(item, bytes);
            var word = wrong.Length == 0 ? null : random.Pick(wrong);
            var shown = word is null ? [] : planner.Plan(word, kind.Faces, image, random);
            var name = FormattableString.Invariant($"{index:D5}.png");
            File.WriteAllBytes(Path.Combine(target, name), PngEncoder.Encode(_painter.Paint(image, shown)));
            var row = new JsonObject
            {
                ["path"] = name,
                ["captions"] = new JsonArray([.. item.Captions.Select(caption => JsonValue.Create(caption))]),
                ["label"] = item.Label,
            };
            if (word is not null)
            {
                row["word"] = word;
                row["attributes"] = new JsonObject
                {
                    ["font"] = string.Join(", ", shown.Select(placement => placement.Font).Distinct()),
                    ["source"] = item.Id,
                };
            }

            rows.Add(row);
            written();
        }

        AtomicFile.Write(Path.Combine(target, CaptionsName), Encoding.UTF8.GetBytes(rows.ToJsonString(Readable)));
        return rows.Count;
    }

    private RgbImage Square(DatasetItem item, ReadOnlyMemory<byte> bytes)
    {
        UserErrorException.ThrowIf(
            !ImageDecoder.TryRead(bytes, null, out var picture, out var problem),
            $"{item.Id} cannot be read: {problem}. Replace it or remove it from the folder"
        );

        var pixels = new byte[3 * side * side];
        ImageResize.Resize(picture, ImagePreparation.OpenAi(side).Target, pixels);
        return new RgbImage(side, side, pixels);
    }
}
