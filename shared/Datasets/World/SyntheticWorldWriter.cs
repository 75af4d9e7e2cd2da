using System.Text.Json;
using System.Text.Json.Nodes;

namespace ClipSae.Datasets.World;

/// <summary>
/// Writes a world as folders of PNG files: <c>train</c> and <c>tuning</c> with <c>captions.json</c> and <c>attributes.jsonl</c>,
/// <c>evaluation/NAME</c> with <c>annotations.json</c>. The caption file is written last, so a folder that has one is complete.
/// </summary>
public static class SyntheticWorldWriter
{
    private static readonly JsonSerializerOptions Plain = new()
    {
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <param name="folder">Made if missing; splits that it holds already are refused.</param>
    /// <param name="progress">Pictures written so far.</param>
    /// <returns>Pictures by split.</returns>
    /// <exception cref="UserErrorException">The folder holds a world already.</exception>
    public static IReadOnlyDictionary<string, int> Write(
        SyntheticWorld world,
        string folder,
        IProgress<int>? progress = null,
        CancellationToken cancel = default
    )
    {
        var written = new Dictionary<string, int>();
        var done = 0;
        foreach (var split in world.Splits.Where(split => split.Count > 0))
        {
            var target = Path.Combine(folder, split.Folder);
            UserErrorException.ThrowIf(
                File.Exists(Path.Combine(target, CaptionFile(split))),
                $"{target} already contains a data set. Choose another folder or remove it."
            );

            Directory.CreateDirectory(Path.Combine(target, "images"));
            var images = new WorldImage[split.Count];
            Parallel.For(0, split.Count, new ParallelOptions { CancellationToken = cancel }, index =>
            {
                var image = world.Draw(split, index);
                using (var file = File.OpenHandle(Path.Combine(target, image.Item.Id), FileMode.Create, FileAccess.Write))
                {
                    RandomAccess.Write(file, image.Png.Span, 0);
                }

                images[index] = image with { Png = default };
                if (Interlocked.Increment(ref done) % 500 == 0)
                {
                    progress?.Report(Volatile.Read(ref done));
                }
            });
            if (!split.IsEvaluation)
            {
                WriteWhole(
                    Path.Combine(target, "attributes.jsonl"),
                    string.Concat(images.Select(image => image.AttributesLine().ToJsonString() + "\n"))
                );
            }

            JsonNode captions = split.IsEvaluation ? Annotations(images) : Captions(images);
            WriteWhole(Path.Combine(target, CaptionFile(split)), captions.ToJsonString(Plain) + "\n");
            written[split.Name] = split.Count;
        }

        progress?.Report(done);
        return written;
    }

    private static string CaptionFile(WorldSplit split) => split.IsEvaluation ? "annotations.json" : "captions.json";

    private static JsonObject Captions(IEnumerable<WorldImage> images) =>
        new(images.Select(image => KeyValuePair.Create<string, JsonNode?>(image.Item.Id, Texts(image.Item.Captions))));

    private static JsonArray Annotations(IEnumerable<WorldImage> images) =>
        new([
            .. images.Select(image => new JsonObject
            {
                ["path"] = image.Item.Id,
                ["label"] = image.Item.Label,
                ["captions"] = Texts(image.Item.Captions),
                ["attributes"] = image.Item.Attributes?.DeepClone(),
            }),
        ]);

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);

    private static void WriteWhole(string path, string content)
    {
        File.WriteAllText(path + ".part", content);
        File.Move(path + ".part", path, overwrite: true);
    }
}
