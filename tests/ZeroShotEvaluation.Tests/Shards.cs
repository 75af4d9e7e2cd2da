using System.Formats.Tar;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using ClipSae.Datasets;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;

namespace ClipSae.ZeroShotEvaluation.Tests;

/// <summary>Writes shards in the data sets' format, with whatever an item may lack.</summary>
internal static class Shards
{
    public static string Write(string path, params IEnumerable<(string Id, string? Label, string? Word, byte[] Image)> items) =>
        WriteWithChoices(path, [], items);

    public static string WriteWithChoices(
        string path,
        string[] choices,
        IEnumerable<(string Id, string? Label, string? Word, byte[] Image)> items
    )
    {
        using var stream = File.Create(path);
        using var tar = new TarWriter(stream, TarEntryFormat.Ustar);
        var index = 0;
        foreach (var (id, label, word, image) in items)
        {
            var key = index++.ToString("D8", CultureInfo.InvariantCulture);
            var json = new JsonObject { ["id"] = id, ["captions"] = new JsonArray("a photo " + id[..^4]) };
            if (label is not null)
            {
                json["label"] = label;
            }

            json["attributes"] = new JsonObject();
            if (word is not null)
            {
                json["attributes"]!["word"] = word;
            }

            if (choices.Length > 0)
            {
                json["attributes"]!["choices"] = new JsonArray([.. choices.Select(choice => (JsonNode)choice)]);
            }

            Add(tar, key + ".json", Encoding.UTF8.GetBytes(json.ToJsonString()));
            Add(tar, key + ".png", image);
        }

        return path;
    }

    /// <summary>A picture of noise that differs by seed.</summary>
    public static byte[] Noise(int seed, int side = 40)
    {
        var random = new SeededRandom(seed, "noise");
        var tint = new[] { random.Next(256), random.Next(256), random.Next(256) };
        var rgb = new byte[side * side * 3];
        for (var i = 0; i < rgb.Length; i++)
        {
            rgb[i] = (byte)((tint[i % 3] + random.Next(120)) / 2);
        }

        return PngEncoder.Encode(new RgbImage(side, side, rgb));
    }

    private static void Add(TarWriter tar, string name, byte[] content)
    {
        using var data = new MemoryStream(content);
        tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = data });
    }
}
