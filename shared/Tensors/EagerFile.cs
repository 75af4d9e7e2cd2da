using System.Runtime.InteropServices;

namespace ClipSae.Tensors;

/// <summary>A new file whose bytes the system begins to bring to the disk while more are written, so that little is left to wait for at the end.</summary>
internal sealed partial class EagerFile(string path) : FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, BufferBytes)
{
    private const int BufferBytes = 1 << 16;
    private const long Stretch = 8 << 20;
    private const uint Begin = 2; // SYNC_FILE_RANGE_WRITE of sync_file_range(2)

    private long _begun;

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        base.Write(buffer);
        if (OperatingSystem.IsLinux() && Position - _begun >= Stretch)
        {
            // A hint; whoever needs the bytes on the disk flushes, and learns there of what fails.
            _ = SyncRange(SafeFileHandle, _begun, Position - _begun, Begin);
            _begun = Position;
        }
    }

    [LibraryImport("libc", EntryPoint = "sync_file_range")]
    private static partial int SyncRange(SafeHandle file, long offset, long length, uint flags);
}
