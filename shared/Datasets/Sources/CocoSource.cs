using System.Text.Json;

namespace ClipSae.Datasets.Sources;

/// <summary>
/// Captions as COCO publishes them (<c>captions_val2017.json</c>): <c>images</c> with id and file_name, <c>annotations</c> with image_id
/// and caption.
/// </summary>
internal static class CocoSource
{
    private const string AnnotationsFolder = "annotations";

    /// <summary>Names by which the images' folder is recognised: a few may be missing.</summary>
    private const int Looked = 20;

    /// <summary>Whether a document has this form.</summary>
    public static bool Claims(JsonElement root) =>
        root.ValueKind == JsonValueKind.Object
        && root.TryGetProperty("images", out var images)
        && images.ValueKind == JsonValueKind.Array
        && root.TryGetProperty("annotations", out var annotations)
        && annotations.ValueKind == JsonValueKind.Array;

    /// <summary>
    /// The captions in a folder laid out as COCO is: <c>annotations/captions_val2017.json</c> next to <c>val2017/</c>; null where it is
    /// none.
    /// </summary>
    /// <exception cref="UserErrorException">There are several.</exception>
    public static string? FileIn(string folder)
    {
        var annotations = Path.Combine(folder, AnnotationsFolder);
        string[] files = Directory.Exists(annotations)
            ? [.. Directory.EnumerateFiles(annotations, "captions_*.json").Order(StringComparer.Ordinal)]
            : [];
        return files.Length <= 1
            ? files.FirstOrDefault()
            : throw new UserErrorException(
                $"The data set {folder} has several caption files ({string.Join(", ", files.Select(Path.GetFileName))}). "
                    + $"Specify the one to use, such as {files[^1]}."
            );
    }

    /// <summary>A row for each image in the file's order, with all of its captions; then what could not be used.</summary>
    /// <param name="folder">Where the images are expected.</param>
    /// <returns>The folder that paths are relative to: the given one or, where its images are in a folder next to the file's, the one that
    /// holds both.</returns>
    public static (string Home, IReadOnlyList<SourceRow> Rows) Read(JsonElement root, string folder, string file)
    {
        var rows = Rows(root, Path.GetFileName(file));
        var (home, images) = Images(folder, file, [.. rows.OfType<SourceRow.Captioned>().Take(Looked).Select(row => row.Path)]);
        return (
            home,
            images.Length == 0
                ? rows
                :
                [
                    .. rows.Select(row =>
                        row is SourceRow.Captioned captioned ? captioned with { Path = $"{images}/{captioned.Path}" } : row
                    ),
                ]
        );
    }

    // The published archives unpack to annotations/ and val2017/ side by side; some keep all images in images/.
    private static (string Home, string Images) Images(string folder, string file, IReadOnlyList<string> names)
    {
        bool Has(string place) => names.Any(name => File.Exists(Path.Combine(place, name)));
        var above = Path.GetDirectoryName(Path.GetFullPath(file))!;
        var homes = new[] { folder, above, Path.GetDirectoryName(above) }.OfType<string>().Distinct(StringComparer.Ordinal).ToArray();
        var split = Path.GetFileNameWithoutExtension(file).Split('_')[^1];
        var places = homes.SelectMany(home =>
            new[] { "", split, $"images/{split}", "images" }.Select(images => (Home: home, Images: images))
        );
        return places.FirstOrDefault(place => Has(Path.Combine(place.Home, place.Images)), (Home: folder, Images: ""));
    }

    private static IReadOnlyList<SourceRow> Rows(JsonElement root, string file)
    {
        var (order, captions, problems) = (new List<(long Id, string Name)>(), new Dictionary<long, List<string>>(), new List<SourceRow>());
        foreach (var (image, index) in root.GetProperty("images").EnumerateArray().Select((image, index) => (image, index)))
        {
            if (Number(image, "id") is { } id && Text(image, "file_name") is { } name && captions.TryAdd(id, []))
            {
                order.Add((id, name));
            }
            else
            {
                problems.Add(SourceRow.Bad($"{file}:images[{index}]", "no id and file_name of its own"));
            }
        }

        foreach (
            var (annotation, index) in root.GetProperty("annotations").EnumerateArray().Select((annotation, index) => (annotation, index))
        )
        {
            if (
                Number(annotation, "image_id") is { } id
                && captions.TryGetValue(id, out var own)
                && Text(annotation, "caption") is { } caption
            )
            {
                own.Add(caption);
            }
            else
            {
                problems.Add(SourceRow.Bad($"{file}:annotations[{index}]", "no caption of an image of this file"));
            }
        }

        return [.. order.Select(image => new SourceRow.Captioned(image.Name, image.Name, captions[image.Id])), .. problems];
    }

    private static long? Number(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object
        && element.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.Number
        && value.TryGetInt64(out var number)
            ? number
            : null;

    private static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
