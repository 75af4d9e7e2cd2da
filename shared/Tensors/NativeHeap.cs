using System.Runtime.InteropServices;

namespace ClipSae.Tensors;

/// <summary>The C library's heap, where tensors live. Nothing happens where the C library has no such call.</summary>
public static unsafe class NativeHeap
{
    private const int LargePages = 14; // MADV_HUGEPAGE of madvise(2)
    private const long LargePage = 2 << 20;

    private static readonly delegate* unmanaged<nuint, int> TrimHeap = (delegate* unmanaged<nuint, int>)Find("malloc_trim");
    private static readonly delegate* unmanaged<void*, nuint, int, int> Advise = (delegate* unmanaged<void*, nuint, int, int>)Find("madvise");

    /// <summary>
    /// Gives freed memory back to the system. glibc keeps blocks of up to 32 MiB, so that a freed model would stay resident and the next
    /// one, which does not fit its holes, would lie beside it.
    /// </summary>
    public static void Trim()
    {
        if (TrimHeap is not null)
        {
            _ = TrimHeap(0);
        }
    }

    /// <summary>
    /// Asks for pages of 2 MiB under memory that is about to be filled: filling a gigabyte of fresh pages of 4 KiB takes longer in the kernel than reading
    /// the gigabyte from its cache. It is advice; a refusal changes nothing.
    /// </summary>
    internal static void PreferLargePages(byte* start, long length)
    {
        var first = ((long)start + LargePage - 1) / LargePage * LargePage;
        var end = ((long)start + length) / LargePage * LargePage;
        if (Advise is not null && end > first)
        {
            _ = Advise((void*)first, (nuint)(end - first), LargePages);
        }
    }

    private static void* Find(string function) =>
        OperatingSystem.IsLinux() && NativeLibrary.TryLoad("libc.so.6", out var library) && NativeLibrary.TryGetExport(library, function, out var address) ? (void*)address : null;
}
