using System.Formats.Tar;
using ClipSae.Artifacts;
using ClipSae.Datasets.Shards;
using ClipSae.Datasets.Sources;

namespace ClipSae.Datasets.Import;

/// <summary>Fills tar files up to the size asked for and hands each to the store.</summary>
internal sealed class ShardPacker(IArtifactStore store, ImportOptions options, string scratch) : IAsyncDisposable
{
    private readonly List<ArtifactRef> _shards = [];
    private readonly List<ManifestShard> _described = [];
    private DigestedFile? _file;
    private string _path = "";
    private TarWriter? _writer;
    private int _items;

    public IReadOnlyList<ArtifactRef> Shards => _shards;

    public IReadOnlyList<ManifestShard> Described => _described;

    /// <summary>Index of the shard that the next item goes to.</summary>
    public int Current => _shards.Count;

    public async Task AddAsync(DatasetItem item, byte[] picture, CancellationToken cancel)
    {
        if (_items > 0 && (_items >= options.ShardItems || _file!.Length + picture.Length > options.ShardBytes))
        {
            await CloseAsync(cancel);
        }

        if (_file is null || _writer is null)
        {
            _path = Path.Combine(scratch, $"shard-{Guid.NewGuid():N}.tar");
            _file = new DigestedFile(_path);
            _writer = new TarWriter(_file, TarEntryFormat.Ustar, leaveOpen: true);
        }

        DatasetShard.Append(_writer, _items++, item, picture);
    }

    public async Task CloseAsync(CancellationToken cancel)
    {
        if (_file is null || _writer is null)
        {
            return;
        }

        await _writer.DisposeAsync();
        _file.Complete();
        await _file.DisposeAsync();
        var name = $"shards/{_shards.Count:D5}";
        var stored = await store.TakeFileAsync(_path, name, DatasetShard.MediaType, cancel);
        _shards.Add(stored);
        _described.Add(new ManifestShard(name, stored.Digest, _items));
        (_file, _writer, _items) = (null, null, 0);
    }

    public async ValueTask DisposeAsync()
    {
        if (_writer is not null)
        {
            await _writer.DisposeAsync();
        }

        if (_file is not null)
        {
            await _file.DisposeAsync();
            File.Delete(_path);
        }
    }
}
