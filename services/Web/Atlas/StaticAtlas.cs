using System.Text;
using ClipSae.Artifacts;
using ClipSae.Hosting.Service;
using ClipSae.Pages;
using ClipSae.Results;
using ClipSae.Results.Autoencoders;
using ClipSae.Web.Records;
using ClipSae.Web.Shell;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClipSae.Web.Atlas;

/// <summary>
/// The atlas of a run as a folder of files: it opens from the file system, needs no server, and asks for nothing from elsewhere.
/// </summary>
public static class StaticAtlas
{
    private const string Page = "index.html";
    private const string Style = "style.css";

    /// <summary>Writes the atlas of every autoencoder of a run; the folder appears whole, or not at all.</summary>
    /// <param name="folder">It must not be there yet.</param>
    /// <param name="maxCount">Features of each autoencoder that get a page, by text salience and then density.</param>
    /// <param name="progress">Features written, and all of them.</param>
    /// <returns>Features written.</returns>
    /// <exception cref="UserErrorException">The run has no autoencoder, something of it is missing, or the folder is there.</exception>
    public static async Task<int> WriteAsync(
        ClipSaeRuntime runtime,
        string run,
        string folder,
        int maxCount,
        TimeProvider time,
        Action<int, int> progress,
        CancellationToken cancel = default
    )
    {
        UserErrorException.ThrowIf(Path.Exists(folder), $"--out {folder}: is there already; name a new folder");

        var shelf = new AtlasShelf(runtime, new RunReader(runtime), time);
        using var turn = new SemaphoreSlim(1, 1);
        await using var indexes = new FeatureIndexes(
            new KeptResults<FeatureIndex>(runtime, ResultFormats.FeatureIndex, turn, time, NullLogger.Instance),
            shelf
        );
        var volumes = await VolumesAsync(runtime, shelf, run, cancel);
        var chosen = volumes
            .Select(volume => AtlasPage.Find(volume, null, new AtlasPage.Query("", "salience", false, 1)).Take(maxCount).ToArray())
            .ToArray();
        var unfinished = folder.TrimEnd(Path.DirectorySeparatorChar) + ".unfinished";
        try
        {
            Directory.CreateDirectory(unfinished);
            var files = new AtlasFolder(unfinished, await shelf.ImagesAsync(volumes[0].Record, cancel), cancel);
            await File.WriteAllTextAsync(
                Path.Combine(unfinished, Style),
                Stylesheet.Palette + Stylesheet.Charts + Assets.Text("app.css"),
                cancel
            );
            await File.WriteAllTextAsync(Path.Combine(unfinished, "filter.js"), Assets.Text("filter.js"), cancel);
            var written = 0;
            foreach (var (volume, features) in volumes.Zip(chosen))
            {
                var index = (await indexes.OpenAsync(run, volume.Unit.Unit, cancel)).Standing.Value;
                files.Open(volume, features, volume.HasPatches ? await shelf.ActivationsAsync(volume, cancel) : null);
                var parts = new FeatureParts(volume, index, files);
                var place = Directory.CreateDirectory(Path.Combine(unfinished, AtlasFolder.NameOf(volume))).FullName;
                await WritePageAsync(
                    Path.Combine(place, Page),
                    $"Features of {volume.Unit.Unit}",
                    "../",
                    List(volume, index, features, parts),
                    cancel
                );
                foreach (var feature in features)
                {
                    cancel.ThrowIfCancellationRequested();
                    await WritePageAsync(
                        Path.Combine(place, AtlasFolder.NameOf(feature.Feature)),
                        $"Feature {feature.Feature} of {volume.Unit.Unit}",
                        "../",
                        Html.Of(
                            $"""
                            <p class="crumbs"><a href="../{Page}">{run}</a> / <a href="{Page}">features of {volume.Unit.Unit}</a> /</p>
                            {parts.Title(feature)}{parts.Metrics(feature)}{parts.Answers(feature)}{parts.Images(feature)}{parts.Twin(
                                feature
                            )}{parts.Alike(feature)}{AtlasPage.Ablation(volume)}
                            """
                        ),
                        cancel
                    );
                    progress(++written, chosen.Sum(list => list.Length));
                }
            }

            await WritePageAsync(
                Path.Combine(unfinished, Page),
                $"Atlas of {run}",
                "",
                Html.Of(
                    $"""
                    <h1>Atlas of {run}</h1><ul class="neighbours">{volumes.Zip(chosen).Select(each =>
                        Html.Of(
                            $"<li><a href=\"{AtlasFolder.NameOf(each.First)}/{Page}\">{each.First.Unit.Unit}</a> <small>{Written.Count(each.Second.Length)} of {Written.Count(each.First.Statistics.Features.Count)} features</small></li>"
                        )
                    )}</ul>
                    """
                ),
                cancel
            );
            Directory.Move(unfinished, folder);
            return written;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"--out {folder}: cannot be written: {error.Message}", error);
        }
        finally
        {
            if (Directory.Exists(unfinished))
            {
                Directory.Delete(unfinished, recursive: true);
            }
        }
    }

    private static async Task<IReadOnlyList<AtlasVolume>> VolumesAsync(
        ClipSaeRuntime runtime,
        AtlasShelf shelf,
        string run,
        CancellationToken cancel
    )
    {
        var record = RunRecord.Of(run, await runtime.ReadEventsAsync(run, cancel));
        var volumes = new List<AtlasVolume>();
        foreach (var unit in AtlasShelf.Units(record))
        {
            volumes.Add(await shelf.VolumeAsync(run, unit.Unit, cancel));
        }

        return volumes.Count > 0 ? volumes : throw new UserErrorException($"run {run} has no autoencoder, so there is no atlas of it");
    }

    private static Html List(AtlasVolume volume, FeatureIndex? index, FeatureStatistics[] features, FeatureParts parts)
    {
        var metrics = volume.Statistics.Metrics;
        return Html.Of(
            $"""
            <p class="crumbs"><a href="../{Page}">{volume.Record.Run}</a> /</p><h1>Features of {volume.Unit.Unit}</h1>
            <p class="facts">{Written.Count(metrics.Latents)} latents, {Written.Count(
                volume.Statistics.Features.Count
            )} fire on held-out images, {Written.Count(features.Length)} are shown here · explained variance {Written.Percent(
                metrics.ExplainedVariance
            )} · FVU {Written.Number(metrics.Fvu)} · L0 {Written.Number(metrics.L0)} · k {metrics.K}</p>
            {AtlasPage.Ablation(volume)}
            <p class="filter" id="filter" hidden><label>Search <input type="search" placeholder="number, name{(
                index is null ? "" : ", class or word"
            )}"></label><span class="count" role="status"></span></p>
            <div class="cards">{features.Select(feature =>
                Html.Of($"<div data-text=\"{Searched(feature, index)}\">{parts.Card(feature)}</div>")
            )}</div>
            """
        );
    }

    private static string Searched(FeatureStatistics feature, FeatureIndex? index)
    {
        var indexed = index?.Feature(feature.Feature);
        return string.Join(
                ' ',
                new[] { FormattableString.Invariant($"{feature.Feature}"), feature.Name }
                    .Concat(indexed?.Classes.Concat(indexed.Words).Select(frequent => frequent.Text) ?? [])
                    .OfType<string>()
            )
            .ToLowerInvariant();
    }

    private static Task WritePageAsync(string path, string title, string root, Html body, CancellationToken cancel) =>
        File.WriteAllTextAsync(
            path,
            Html.Of(
                $"""
                <!doctype html>
                <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
                <title>{title} · ClipSae</title><link rel="stylesheet" href="{root}{Style}"><script defer src="{root}filter.js"></script></head><body>
                <main id="content">{body}</main></body></html>
                """
            ).Text,
            Encoding.UTF8,
            cancel
        );

    /// <summary>The files of an atlas: pictures are written when a page first names them, patches are within the pages.</summary>
    private sealed class AtlasFolder(string root, ImageLibrary pictures, CancellationToken cancel) : AtlasPlaces
    {
        private const int ImageSide = 160;
        private readonly Dictionary<string, string> _pictures = new(StringComparer.Ordinal);
        private HashSet<int> _features = [];
        private ActivationShards? _activations;

        public static string NameOf(AtlasVolume volume) =>
            string.Concat(volume.Unit.Unit.Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' ? letter : '_'))
            + "-"
            + Digest.Hex(Digest.OfText(volume.Unit.Unit))[..8];

        public static string NameOf(int feature) => FormattableString.Invariant($"feature-{feature}.html");

        /// <summary>From now on pages of this autoencoder are written.</summary>
        public void Open(AtlasVolume volume, FeatureStatistics[] features, ActivationShards? activations) =>
            (_features, _activations) = ([.. features.Select(feature => feature.Feature)], activations);

        public override string Volume(AtlasVolume volume) => Page;

        public override Html IndexHint(AtlasVolume volume) =>
            Html.Of($"With an index, which <code>clipsae ui</code> computes, images over the whole range of its activations are shown.");

        public override string? Feature(AtlasVolume volume, int feature) => _features.Contains(feature) ? NameOf(feature) : null;

        public override string Image(AtlasVolume volume, string id)
        {
            if (!_pictures.TryGetValue(id, out var name))
            {
                var small = pictures.Read(id, cancel) is { } encoded ? Thumbnail.Encode(encoded, ImageSide) : null;
                name = small is var (type, content)
                    ? $"pictures/{Digest.Hex(Digest.OfBytes(content.Span))[..24]}.{(type == "image/png" ? "png" : "jpg")}"
                    : "";
                if (small is var (_, bytes) && !File.Exists(Path.Combine(root, name)))
                {
                    Directory.CreateDirectory(Path.Combine(root, "pictures"));
                    File.WriteAllBytes(Path.Combine(root, name), bytes.ToArray());
                }

                _pictures[id] = name;
            }

            // A picture that cannot be had is an empty one.
            return name.Length > 0 ? "../" + name : "data:,";
        }

        public override string? Patches(AtlasVolume volume, int feature, string id)
        {
            var known = volume.Feature(feature);
            return known is not null && _activations?.Patches(volume.Autoencoder, feature, id) is var (side, values)
                ? "data:image/png;base64,"
                    + Convert.ToBase64String(
                        PatchOverlay.Draw(
                            side,
                            values,
                            known.TopImages.Count > 0
                                ? known.TopImages.Max(image => image.Activation)
                                : values.Where(float.IsFinite).DefaultIfEmpty().Max()
                        )
                    )
                : null;
        }
    }
}
