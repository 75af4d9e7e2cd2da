using ClipSae.Artifacts;
using Microsoft.Win32.SafeHandles;

namespace ClipSae.ZeroShotEvaluation.Sets;

/// <summary>
/// Preprocessed images as bytes, one after another: in memory up to a limit, beyond it in a scratch file. Images are decoded once and every
/// model reads them from here. Writing is safe from several threads.
/// </summary>
internal sealed class PixelStore : IDisposable
{
    private readonly string _scratch;
    private readonly int _inMemory;
    private readonly List<byte[]?> _images = [];
    private readonly Lock _gate = new();
    private SafeFileHandle? _file;
    private string? _path;

    /// <param name="imageBytes">Bytes of an image.</param>
    /// <param name="memoryBytes">Bytes to keep in memory at most.</param>
    /// <param name="scratch">Folder for the rest.</param>
    public PixelStore(int imageBytes, long memoryBytes, string scratch)
    {
        ImageBytes = imageBytes;
        _inMemory = (int)Math.Min(int.MaxValue, memoryBytes / imageBytes);
        _scratch = scratch;
    }

    public int ImageBytes { get; }

    /// <summary>Keeps the image of a row; <paramref name="pixels"/> belongs to the store afterwards.</summary>
    public void Write(int row, byte[] pixels)
    {
        if (row >= _inMemory)
        {
            RandomAccess.Write(File(), pixels, (long)(row - _inMemory) * ImageBytes);
            return;
        }

        lock (_gate)
        {
            while (_images.Count <= row)
            {
                _images.Add(null);
            }

            _images[row] = pixels;
        }
    }

    /// <summary>Copies the images of some rows one after another.</summary>
    public void Read(ReadOnlySpan<int> rows, Span<byte> pixels)
    {
        for (var i = 0; i < rows.Length; i++)
        {
            var target = pixels.Slice(i * ImageBytes, ImageBytes);
            if (rows[i] < _inMemory)
            {
                _images[rows[i]].CopyTo(target);
            }
            else
            {
                RandomAccess.Read(File(), target, (long)(rows[i] - _inMemory) * ImageBytes);
            }
        }
    }

    public void Dispose()
    {
        _file?.Dispose();
        if (_path is not null)
        {
            System.IO.File.Delete(_path);
        }
    }

    private SafeFileHandle File()
    {
        lock (_gate)
        {
            _path ??= AtomicFile.TemporaryFor(Path.Combine(_scratch, "pixels"));
            return _file ??= System.IO.File.OpenHandle(_path, FileMode.CreateNew, FileAccess.ReadWrite);
        }
    }
}
