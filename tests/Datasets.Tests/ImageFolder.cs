using ClipSae.Artifacts;
using ClipSae.Datasets.Import;
using ClipSae.Datasets.Shards;
using ClipSae.Datasets.Sources;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;

namespace ClipSae.Datasets.Tests;

/// <summary>A folder with pictures for one test, gone afterwards.</summary>
internal sealed class ImageFolder : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("clipsae-").FullName;

    public string Data => Directory.CreateDirectory(Path.Combine(Root, "data")).FullName;

    public IArtifactStore Store => new FolderArtifactStore(Path.Combine(Root, "store"));

    public void Image(string path, int shade = 90)
    {
        var rgb = new byte[8 * 6 * 3];
        Array.Fill(rgb, (byte)shade);
        Bytes(path, PngEncoder.Encode(new RgbImage(8, 6, rgb)));
    }

    public void Text(string path, string content) => Bytes(path, System.Text.Encoding.UTF8.GetBytes(content));

    public void Bytes(string path, byte[] content)
    {
        var full = Path.Combine(Data, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllBytes(full, content);
    }

    public Task<ImportedDataset> Import(ImportOptions? options = null) =>
        DatasetImporter.ImportAsync(Data, options ?? new ImportOptions { MaxProblemShare = 1 }, Store, scratch: Root);

    /// <summary>The message with which an import fails that allows no problems.</summary>
    public async Task<string> ImportProblem() =>
        (await Should.ThrowAsync<Contracts.UserErrorException>(() => Import(new ImportOptions { MaxProblemShare = 0 }))).Message;

    public async Task<List<(DatasetItem Item, byte[] Bytes)>> Items(ImportedDataset dataset)
    {
        var items = new List<(DatasetItem, byte[])>();
        foreach (var shard in dataset.Shards)
        {
            items.AddRange(DatasetShard.Read(await Store.FetchAsync(shard)).Select(item => (item.Item, item.ImageBytes.ToArray())));
        }

        return items;
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
