using System.Text;
using ClipSae.Contracts;
using TorchSharp;

namespace ClipSae.Tensors;

/// <summary>
/// Writes a safetensors file whose main tensor grows row by row, so that it may be larger than memory. The header's place is
/// kept free and filled in at the end; until <see cref="Complete"/> the file does not exist under its name.
/// </summary>
public sealed class SafetensorsRowWriter : IDisposable
{
    /// <summary>Room for the header beside its metadata: names, types and offsets of a handful of tensors.</summary>
    private const int HeaderRoom = 4096;

    private readonly string path;
    private readonly string temporary;
    private readonly string key;
    private readonly torch.ScalarType type;
    private readonly long[] rowShape;
    private readonly IReadOnlyDictionary<string, string> metadata;
    private readonly int headerBytes;
    private readonly FileStream stream;
    private long rows;
    private bool completed;

    /// <param name="path">The file to appear.</param>
    /// <param name="key">Name of the growing tensor.</param>
    /// <param name="type">Its element type; rows are converted to it.</param>
    /// <param name="rowShape">Sizes of one row.</param>
    /// <param name="metadata">The file's <c>__metadata__</c>.</param>
    /// <exception cref="UserErrorException">The file cannot be written.</exception>
    public SafetensorsRowWriter(
        string path, string key, torch.ScalarType type, IReadOnlyList<long> rowShape, IReadOnlyDictionary<string, string>? metadata = null)
    {
        this.path = path;
        this.key = key;
        this.type = type;
        this.rowShape = [.. rowShape];
        this.metadata = metadata ?? new Dictionary<string, string>();

        // A JSON escape takes six bytes at most.
        headerBytes = HeaderRoom + (this.metadata.Sum(m => 8 + (6 * Encoding.UTF8.GetByteCount(m.Key + m.Value))) / 8 * 8);
        temporary = $"{path}.{Guid.NewGuid():N}.partial";
        stream = Guard(() => new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16));
        Guard(() => stream.Position = headerBytes);
    }

    /// <summary>Rows so far.</summary>
    public long Rows => rows;

    /// <param name="values">[n, row…]; any precision.</param>
    /// <exception cref="UserErrorException">The disk is full or the file cannot be written.</exception>
    public void Append(torch.Tensor values)
    {
        if (!values.shape.Skip(1).SequenceEqual(rowShape))
        {
            throw new ArgumentException($"rows are [{string.Join(", ", values.shape.Skip(1))}]; '{key}' has rows of [{string.Join(", ", rowShape)}]");
        }

        using var scope = torch.NewDisposeScope();
        Guard(() => SafetensorsWriter.WriteData(stream, values.to(type)));
        rows += values.shape[0];
    }

    /// <summary>Adds the other tensors, fills in the header and gives the file its name.</summary>
    /// <exception cref="UserErrorException">The disk is full or the file cannot be written.</exception>
    public void Complete(IEnumerable<KeyValuePair<string, torch.Tensor>>? others = null)
    {
        var sorted = (others ?? []).OrderBy(o => o.Key, StringComparer.Ordinal).ToList();
        var layout = sorted.Select(o => new TensorLayout(o.Key, o.Value.dtype, o.Value.shape))
            .Prepend(new TensorLayout(key, type, [rows, .. rowShape]))
            .ToList();
        Guard(() =>
        {
            foreach (var (_, tensor) in sorted)
            {
                SafetensorsWriter.WriteData(stream, tensor);
            }

            stream.Position = 0;
            SafetensorsWriter.WriteHeader(stream, layout, metadata, headerBytes - 8);
            stream.Flush(flushToDisk: true);
            stream.Dispose();
            File.Move(temporary, path, overwrite: true);
        });
        completed = true;
    }

    /// <summary>Drops the unfinished file, if it was not completed.</summary>
    public void Dispose()
    {
        stream.Dispose();
        if (!completed && File.Exists(temporary))
        {
            File.Delete(temporary);
        }
    }

    private T Guard<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"{path}: cannot be written: {failure.Message}");
        }
    }

    private void Guard(Action action) => Guard(() =>
    {
        action();
        return true;
    });
}
