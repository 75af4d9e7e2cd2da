using System.ComponentModel;
using System.Runtime.InteropServices;

namespace ClipSae.Benchmarks;

/// <summary>The system's cache of a file's pages.</summary>
internal static partial class PageCache
{
    private const int DontNeed = 4;

    /// <summary>
    /// Asks the system to forget a file, so that the next reading comes from the disk. Written pages are brought to the disk first, or they
    /// would stay.
    /// </summary>
    public static void Drop(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        file.Flush(flushToDisk: true);
        if (Advise(file.SafeFileHandle.DangerousGetHandle().ToInt32(), 0, 0, DontNeed) is not 0 and var error)
        {
            throw new Win32Exception(error);
        }
    }

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int Advise(int file, long offset, long length, int advice);
}
