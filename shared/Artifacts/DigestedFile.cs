using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace ClipSae.Artifacts;

/// <summary>
/// A new file that is written from its beginning to its end. It is digested on the way, so that nobody needs to read it again to
/// know its name, and the system begins to bring it to the disk while more is written, so that little is left to wait for at the end.
/// </summary>
public sealed partial class DigestedFile : Stream
{
    private const int BufferBytes = 1 << 16;
    private const long Stretch = 8 << 20;
    private const int WorthAThread = 1 << 18;
    private const uint Begin = 2; // SYNC_FILE_RANGE_WRITE of sync_file_range(2)

    private readonly FileStream _file;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long _begun;

    /// <exception cref="IOException">The file exists, or cannot be made.</exception>
    public DigestedFile(string path) => _file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, BufferBytes);

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => _file.Length;

    public override long Position
    {
        get => _file.Position;
        set => throw new NotSupportedException();
    }

    public override unsafe void Write(ReadOnlySpan<byte> buffer)
    {
        if (buffer.Length < WorthAThread)
        {
            _hash.AppendData(buffer);
            _file.Write(buffer);
        }
        else
        {
            fixed (byte* start = buffer)
            {
                WriteBeside((nint)start, buffer.Length);
            }
        }

        if (OperatingSystem.IsLinux() && _file.Position - _begun >= Stretch)
        {
            // A hint; whoever needs the bytes on the disk flushes, and learns there of what fails.
            _ = SyncRange(_file.SafeFileHandle, _begun, _file.Position - _begun, Begin);
            _begun = _file.Position;
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush() => _file.Flush();

    /// <summary>Waits until all is on the disk and closes the file; its digest is remembered (<see cref="WrittenDigests"/>).</summary>
    /// <param name="path">The name it gets, which another file may have had; its own where left out.</param>
    public void Complete(string? path = null)
    {
        _file.Flush(flushToDisk: true);
        _file.Dispose();
        path ??= _file.Name;
        File.Move(_file.Name, path, overwrite: true);
        WrittenDigests.Remember(path, Digest.Prefix + Convert.ToHexStringLower(_hash.GetHashAndReset()));
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _file.Dispose();
            _hash.Dispose();
        }

        base.Dispose(disposing);
    }

    // Digesting takes as long as copying to the page cache: side by side neither waits for the other.
    private unsafe void WriteBeside(nint start, int length)
    {
        try
        {
            Parallel.Invoke(
                () => _hash.AppendData(new ReadOnlySpan<byte>((void*)start, length)),
                () => _file.Write(new ReadOnlySpan<byte>((void*)start, length))
            );
        }
        catch (AggregateException error) when (error.InnerExceptions is [var only])
        {
            ExceptionDispatchInfo.Throw(only);
        }
    }

    [LibraryImport("libc", EntryPoint = "sync_file_range")]
    private static partial int SyncRange(SafeHandle file, long offset, long length, uint flags);
}
