using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Sae;

/// <summary>
/// Rows of the tensor <c>activations</c> of several memory-mapped safetensors files, one after the other, as if they were one.
/// </summary>
public sealed class ShardRows : IActivationRows, IDisposable
{
    private const string Key = "activations";

    private readonly SafetensorsFile[] _files;
    private readonly long[] _starts;

    private ShardRows(SafetensorsFile[] files, long[] starts, int width) => (_files, _starts, Width) = (files, starts, width);

    /// <inheritdoc/>
    public long Rows => _starts[^1];

    /// <inheritdoc/>
    public int Width { get; }

    /// <exception cref="UserErrorException">A file is unreadable, has no such tensor [rows, width], or another width than the
    /// first.</exception>
    public static ShardRows Open(IReadOnlyList<string> paths)
    {
        var files = new List<SafetensorsFile>();
        try
        {
            var starts = new List<long> { 0 };
            long? width = null;
            foreach (var path in paths)
            {
                var file = SafetensorsFile.Open(path);
                files.Add(file);
                UserErrorException.ThrowIf(
                    !file.Entries.TryGetValue(Key, out var entry) || entry.Shape.Count != 2,
                    $"{path}: contains no tensor '{Key}' of [rows, width]; extract the activations again"
                );

                width ??= entry.Shape[1];
                UserErrorException.ThrowIf(
                    entry.Shape[1] != width,
                    $"{path}: activations are {entry.Shape[1]} wide, those of the first shard {width}; "
                        + $"use shards of one model and hook point only"
                );

                starts.Add(starts[^1] + entry.Shape[0]);
            }

            return new ShardRows([.. files], [.. starts], (int)(width ?? 0));
        }
        catch
        {
            files.ForEach(file => file.Dispose());
            throw;
        }
    }

    /// <inheritdoc/>
    public Tensor Read(ReadOnlySpan<long> rows)
    {
        using var scope = NewDisposeScope();
        var result = empty(rows.Length, Width);
        var inFile = new List<long>[_files.Length];
        var inResult = new List<long>[_files.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            var file = FileOf(rows[i]);
            (inFile[file] ??= []).Add(rows[i] - _starts[file]);
            (inResult[file] ??= []).Add(i);
        }

        for (var file = 0; file < _files.Length; file++)
        {
            if (inFile[file] is { } wanted)
            {
                var part = _files[file].GatherRows(Key, wanted.ToArray()).to(float32);
                result.index_copy_(0, tensor(inResult[file].ToArray()), part);
            }
        }

        return result.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor ReadRange(long start, int count)
    {
        using var scope = NewDisposeScope();
        var parts = new List<Tensor>();
        var end = start + count;
        for (var at = start; at < end; )
        {
            var file = FileOf(at);
            var length = Math.Min(end, _starts[file + 1]) - at;
            parts.Add(_files[file].ReadRows(Key, at - _starts[file], length).to(float32));
            at += length;
        }

        return (parts.Count == 1 ? parts[0] : cat(parts)).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        foreach (var file in _files)
        {
            file.Dispose();
        }
    }

    private int FileOf(long row)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, Rows);
        var found = Array.BinarySearch(_starts, row);
        if (found < 0)
        {
            return ~found - 1;
        }

        // Shards without rows start where the next one does; the row is in the last that starts here.
        while (_starts[found + 1] == row)
        {
            found++;
        }

        return found;
    }
}
