using System.Runtime.InteropServices;

namespace ClipSae.Tensors;

/// <summary>The C library's heap, where tensors live.</summary>
public static unsafe class NativeHeap
{
    private static readonly delegate* unmanaged<nuint, int> TrimHeap = Find();

    /// <summary>
    /// Gives freed memory back to the system. glibc keeps blocks of up to 32 MiB, so that a freed model would stay resident and the next
    /// one, which does not fit its holes, would lie beside it. Nothing happens where the C library has no such call.
    /// </summary>
    public static void Trim()
    {
        if (TrimHeap is not null)
        {
            _ = TrimHeap(0);
        }
    }

    private static delegate* unmanaged<nuint, int> Find() =>
        OperatingSystem.IsLinux() && NativeLibrary.TryLoad("libc.so.6", out var library) && NativeLibrary.TryGetExport(library, "malloc_trim", out var address)
            ? (delegate* unmanaged<nuint, int>)address
            : null;
}
