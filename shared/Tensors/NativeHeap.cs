using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ClipSae.Tensors;

/// <summary>The C library's heap, where tensors live.</summary>
public static unsafe class NativeHeap
{
    /// <summary>
    /// Blocks below this size are reused from the heap once <see cref="KeepFreedBlocks"/> was called; larger ones are new pages every time,
    /// and touching those takes as much as half the time of the product that fills them.
    /// </summary>
    public const int MaxKeptBlock = 64 << 20;

    // Numbers of mallopt's parameters, from glibc's malloc.h.
    private const int TrimThreshold = -1;
    private const int TopPadding = -2;
    private const int MapThreshold = -3;
    private const int ArenaLimit = -8;

    private const int MinMapped = 1 << 20;

    // More than a batch leaves: pages that go back between two batches have to be cleared and mapped again, a sixth of a shard's time where
    // that was seen.
    private const int KeptAtTheEnd = 1 << 30;

    private static readonly delegate* unmanaged<nuint, int> TrimHeap = (delegate* unmanaged<nuint, int>)Find("malloc_trim");
    private static readonly delegate* unmanaged<int, int, int> SetOption = (delegate* unmanaged<int, int, int>)Find("mallopt");
    private static readonly Lock Allocating = new();
    private static long _heldAfterTrim;

    /// <summary>
    /// Gives freed memory back to the system, so that a freed model does not stay resident with the next one, which does not fit its
    /// holes, next to it. Nothing happens where the C library has no such call.
    /// </summary>
    public static void Trim()
    {
        if (TrimHeap is not null)
        {
            _ = TrimHeap(0);
        }
    }

    /// <summary>
    /// <see cref="Trim"/> where the process holds 1 GiB more than after the last time: to be called between units of work. What one leaves
    /// is kept, since the next one takes it faster than new pages; what several threads' heaps keep of several would add up.
    /// </summary>
    public static void TrimOnceGrown() => TrimOnceGrown(KeptAtTheEnd);

    /// <param name="room">Bytes of growth that are left alone.</param>
    internal static void TrimOnceGrown(long room)
    {
        var (held, before) = (Environment.WorkingSet, Interlocked.Read(ref _heldAfterTrim));
        if (held > before + room)
        {
            Trim();
            Interlocked.Exchange(ref _heldAfterTrim, Environment.WorkingSet);
        }
        else if (held < before)
        {
            Interlocked.Exchange(ref _heldAfterTrim, held);
        }
    }

    /// <summary>
    /// The heap keeps freed blocks: activations of one size come and go with every batch. glibc by itself unmaps a piece of a thread's
    /// heap as soon as it is free. Nothing happens with other C libraries.
    /// </summary>
    public static void KeepFreedBlocks()
    {
        if (SetOption is not null)
        {
            KeepBlocks();
        }
    }

    /// <summary>
    /// No further heaps for further threads: each would keep what one model needs, and the next model, on another thread, would take new
    /// pages anyway. This runs before any other code of this library, since glibc takes a limit only until it has eight heaps. The
    /// runtime's own threads have made some by then; <c>MALLOC_ARENA_MAX=1</c> in the environment leaves one.
    /// </summary>
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "No call of a program's own would surely come before its eighth thread.")]
    internal static void LimitHeaps()
    {
        if (SetOption is not null)
        {
            _ = SetOption(ArenaLimit, 1);
        }
    }

    /// <summary>
    /// Allocates a block of more than 1 MiB in a mapping of its own: its pages are fresh, and go back when it is freed. In the heap it
    /// would be between others, and leave a hole. Other C libraries allocate as they do.
    /// </summary>
    internal static T Mapped<T>(Func<T> allocate)
    {
        if (SetOption is null)
        {
            return allocate();
        }

        lock (Allocating)
        {
            _ = SetOption(MapThreshold, MinMapped);
            try
            {
                return allocate();
            }
            finally
            {
                KeepBlocks();
            }
        }
    }

    private static void KeepBlocks()
    {
        _ = SetOption(MapThreshold, MaxKeptBlock);
        _ = SetOption(TrimThreshold, KeptAtTheEnd);

        // Threads that allocated before the limit to one heap keep theirs, made of pieces of 64 MiB, and unmap a piece that
        // falls free unless the one before has less room than this: each batch would get its pages again.
        _ = SetOption(TopPadding, 2 * MaxKeptBlock);
    }

    private static void* Find(string name) =>
        OperatingSystem.IsLinux()
        && NativeLibrary.TryLoad("libc.so.6", out var library)
        && NativeLibrary.TryGetExport(library, name, out var address)
            ? (void*)address
            : null;
}
