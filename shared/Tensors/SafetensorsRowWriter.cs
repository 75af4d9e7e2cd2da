using System.Text;
using ClipSae.Artifacts;
using TorchSharp;

namespace ClipSae.Tensors;

/// <summary>
/// Writes a safetensors file whose main tensor grows row by row, so that it may be larger than memory. The header goes first, for the rows
/// that are announced, and the file is digested as it is written; where it turns out otherwise, the header is written again in its place at
/// the end, and whoever needs the digest reads the file. Until <see cref="Complete"/> the file does not exist under its name.
/// </summary>
public sealed class SafetensorsRowWriter : IDisposable
{
    /// <summary>Room for the header in addition to its metadata: names, types and offsets of a handful of tensors.</summary>
    private const int HeaderRoom = 4096;

    private readonly string _path;
    private readonly string _temporary;
    private readonly string _key;
    private readonly torch.ScalarType _type;
    private readonly long[] _rowShape;
    private readonly IReadOnlyDictionary<string, string> _metadata;
    private readonly int _headerBytes;
    private readonly List<TensorLayout> _announced;
    private readonly DigestedFile _stream;
    private long _rows;
    private bool _completed;

    /// <param name="path">The file to appear.</param>
    /// <param name="key">Name of the growing tensor.</param>
    /// <param name="type">Its element type; rows are converted to it.</param>
    /// <param name="rowShape">Sizes of one row.</param>
    /// <param name="metadata">The file's <c>__metadata__</c>.</param>
    /// <param name="announcedRows">Rows that are expected, where that is known.</param>
    /// <param name="others">Names and types of the tensors with one element a row that are to follow.</param>
    /// <exception cref="UserErrorException">The file cannot be written.</exception>
    public SafetensorsRowWriter(
        string path,
        string key,
        torch.ScalarType type,
        IReadOnlyList<long> rowShape,
        IReadOnlyDictionary<string, string>? metadata = null,
        long announcedRows = 0,
        IReadOnlyDictionary<string, torch.ScalarType>? others = null
    )
    {
        _path = path;
        _key = key;
        _type = type;
        _rowShape = [.. rowShape];
        _metadata = metadata ?? new Dictionary<string, string>();

        // A JSON escape takes six bytes at most.
        _headerBytes = HeaderRoom + (_metadata.Sum(m => 8 + (6 * Encoding.UTF8.GetByteCount(m.Key + m.Value))) / 8 * 8);
        _temporary = $"{path}.{Guid.NewGuid():N}.partial";
        _announced = Layout(
            (others ?? new Dictionary<string, torch.ScalarType>()).Select(o => new TensorLayout(o.Key, o.Value, [announcedRows])),
            announcedRows
        );
        _stream = Guard(() => new DigestedFile(_temporary));
        Guard(() => SafetensorsWriter.WriteHeader(_stream, _announced, _metadata, _headerBytes - 8));
    }

    /// <summary>Rows so far.</summary>
    public long Rows => _rows;

    /// <param name="values">[n, row…]; any precision.</param>
    /// <exception cref="UserErrorException">The disk is full or the file cannot be written.</exception>
    public void Append(torch.Tensor values)
    {
        if (!values.shape.Skip(1).SequenceEqual(_rowShape))
        {
            throw new ArgumentException(
                $"rows are [{string.Join(", ", values.shape.Skip(1))}]; '{_key}' has rows of [{string.Join(", ", _rowShape)}]"
            );
        }

        using var scope = torch.NewDisposeScope();
        Guard(() => SafetensorsWriter.WriteData(_stream, values.to(_type)));
        _rows += values.shape[0];
    }

    /// <summary>Adds the other tensors, fills in the header and gives the file its name.</summary>
    /// <exception cref="UserErrorException">The disk is full or the file cannot be written.</exception>
    public void Complete(IEnumerable<KeyValuePair<string, torch.Tensor>>? others = null)
    {
        var sorted = (others ?? []).OrderBy(o => o.Key, StringComparer.Ordinal).ToList();
        var layout = Layout(sorted.Select(o => new TensorLayout(o.Key, o.Value.dtype, o.Value.shape)), _rows);
        Guard(() =>
        {
            foreach (var (_, tensor) in sorted)
            {
                SafetensorsWriter.WriteData(_stream, tensor);
            }

            if (
                layout.Zip(_announced).All(pair => pair.First.Name == pair.Second.Name && $"{pair.First}" == $"{pair.Second}")
                && layout.Count == _announced.Count
            )
            {
                _stream.Complete(_path);
            }
            else
            {
                CompleteOtherwise(layout);
            }
        });
        _completed = true;
    }

    /// <summary>Drops the unfinished file, if it was not completed.</summary>
    public void Dispose()
    {
        _stream.Dispose();
        if (!_completed && File.Exists(_temporary))
        {
            File.Delete(_temporary);
        }
    }

    private void CompleteOtherwise(IReadOnlyList<TensorLayout> layout)
    {
        _stream.Dispose();
        using (var header = new FileStream(_temporary, FileMode.Open, FileAccess.Write, FileShare.None, 1 << 16))
        {
            SafetensorsWriter.WriteHeader(header, layout, _metadata, _headerBytes - 8);
            header.Flush(flushToDisk: true);
        }

        File.Move(_temporary, _path, overwrite: true);
    }

    private List<TensorLayout> Layout(IEnumerable<TensorLayout> others, long count) =>
        [new TensorLayout(_key, _type, [count, .. _rowShape]), .. others.OrderBy(entry => entry.Name, StringComparer.Ordinal)];

    private T Guard<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"{_path}: cannot be written: {failure.Message}");
        }
    }

    private void Guard(Action action) =>
        Guard(() =>
        {
            action();
            return true;
        });
}
