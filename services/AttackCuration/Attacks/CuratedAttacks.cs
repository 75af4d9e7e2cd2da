using System.Formats.Tar;
using System.Text;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.AttackCuration.Images;
using ClipSae.Datasets;
using ClipSae.Datasets.Drawing;
using ClipSae.Datasets.Shards;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;

namespace ClipSae.AttackCuration.Attacks;

/// <summary>
/// The attack set as it is stored: pictures, their unreadable twins, a manifest that says how each was made, and one sheet to look at.
/// </summary>
public sealed class CuratedAttacks
{
    private readonly List<(DatasetItem Item, byte[] Png)> _attacks = [];
    private readonly List<(DatasetItem Item, byte[] Png)> _controls = [];
    private readonly StringBuilder _manifest = new();
    private readonly List<(RgbImage Image, IReadOnlyList<string> Lines)> _sheet = [];
    private readonly int _sheetSize;

    /// <param name="sheetSize">Most pictures on the contact sheet.</param>
    public CuratedAttacks(int sheetSize = 60) => _sheetSize = sheetSize;

    public int Count => _attacks.Count;

    /// <summary>Adds an attack with its unreadable twin.</summary>
    public void Add(
        AttackCandidate attack,
        ImageSource source,
        RgbImage image,
        RgbImage control,
        IEnumerable<(double Left, double Top, double Right, double Bottom)> boxes
    )
    {
        var attributes = new JsonObject
        {
            ["kind"] = "attack",
            ["source"] = source.Item.Id,
            ["object"] = attack.Label,
            ["word"] = attack.Word,
            ["font"] = string.Join(", ", attack.Shown.Select(p => p.Font).Distinct(StringComparer.Ordinal)),
            ["boxes"] = new JsonArray([
                .. boxes.Select(box => (JsonNode)new JsonArray(Round(box.Left), Round(box.Top), Round(box.Right), Round(box.Bottom))),
            ]),
            ["margin"] = Round(attack.Margin),
            ["activation"] = Round(attack.Activation),
            ["features"] = new JsonArray([.. attack.Features.Select(f => (JsonNode)f)]),
            ["neurons"] = new JsonArray([
                .. attack.Neurons.Select(n => (JsonNode)new JsonObject { ["layer"] = n.Layer, ["neuron"] = n.Index }),
            ]),
            ["placements"] = new JsonArray([.. attack.Shown.Select(p => (JsonNode)p.ToJson())]),
        };
        if (attack.Family is not null)
        {
            attributes["family"] = attack.Family;
        }

        Add(
            source.Item.Captions,
            attack.Label,
            attributes,
            image,
            PngEncoder.Encode(image),
            PngEncoder.Encode(control),
            $"{attack.Label} / {attack.Word}"
        );
    }

    /// <summary>Adds a picture of the data set on which the features fire by themselves; it is its own twin.</summary>
    public void AddNatural(ImageSource source, RgbImage image, double activation)
    {
        // It may show what is none of the classes.
        var label = source.Item.Label ?? source.Label;
        var attributes = new JsonObject
        {
            ["kind"] = "natural",
            ["source"] = source.Item.Id,
            ["object"] = label,
            ["word"] = PrintedText.On(source.Item)?.Word,
            ["activation"] = Round(activation),
        };
        var png = PngEncoder.Encode(image);
        Add(source.Item.Captions, label, attributes, image, png, png, $"natural: {label}");
    }

    /// <summary>
    /// Writes everything as artifacts: <c>attacks</c>, <c>controls</c>, <c>manifest</c>, <c>contact-sheet</c>, and <c>attack-folder</c>, a
    /// tar of NAME.png and NAME.txt as upstream lays out its attacks.
    /// </summary>
    public async Task<Dictionary<string, ArtifactRef>> StoreAsync(
        IArtifactStore store,
        string scratch,
        FontFace font,
        CancellationToken cancel
    )
    {
        var outputs = new Dictionary<string, ArtifactRef>(StringComparer.Ordinal);
        async Task Put(string name, string path, string mediaType) =>
            outputs[name] = await store.TakeFileAsync(path, name, mediaType, cancel);
        var attacks = Path.Combine(scratch, "attacks.tar");
        var controls = Path.Combine(scratch, "controls.tar");
        var folder = Path.Combine(scratch, "attack-folder.tar");
        DatasetShard.Write(attacks, _attacks);
        DatasetShard.Write(controls, _controls);
        WriteFolder(folder);
        await Put(OutputNames.Attacks, attacks, DatasetShard.MediaType);
        await Put(OutputNames.Controls, controls, DatasetShard.MediaType);
        await Put("attack-folder", folder, DatasetShard.MediaType);
        outputs[OutputNames.Manifest] = await store.PutBytesAsync(
            Encoding.UTF8.GetBytes(_manifest.ToString()),
            OutputNames.Manifest,
            "application/jsonl",
            cancel
        );
        outputs[OutputNames.ContactSheet] = await store.PutBytesAsync(
            PngEncoder.Encode(ContactSheet.Draw(_sheet, columns: 10, cell: 96, font)),
            OutputNames.ContactSheet,
            "image/png",
            cancel
        );
        return outputs;
    }

    private void Add(
        IReadOnlyList<string> captions,
        string label,
        JsonObject attributes,
        RgbImage image,
        byte[] png,
        byte[] control,
        string line
    )
    {
        var name = $"attack-{_attacks.Count:D5}.png";
        var item = new DatasetItem(name, captions, label, attributes);
        _attacks.Add((item, png));
        _controls.Add((item, control));
        var entry = attributes.DeepClone().AsObject();
        entry["image"] = name;
        _manifest.Append(CanonicalJson.Serialize(entry)).Append('\n');
        if (_sheet.Count < _sheetSize)
        {
            _sheet.Add((image, [line]));
        }
    }

    private void WriteFolder(string path)
    {
        using var writer = new TarWriter(new FileStream(path, FileMode.CreateNew, FileAccess.Write), TarEntryFormat.Ustar);
        foreach (var (item, png) in _attacks)
        {
            DatasetShard.Append(writer, item.Id, png);
            DatasetShard.Append(
                writer,
                Path.ChangeExtension(item.Id, ".txt"),
                Encoding.UTF8.GetBytes(string.Join('\n', item.Captions) + "\n")
            );
        }

        DatasetShard.Append(writer, "manifest.jsonl", Encoding.UTF8.GetBytes(_manifest.ToString()));
    }

    private static double Round(double value) => Math.Round(value, 4);
}
