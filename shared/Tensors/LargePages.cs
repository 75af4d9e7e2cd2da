using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;

namespace ClipSae.Tensors;

/// <summary>
/// Fresh memory for large tensors on pages of 2 MiB, where Linux gives them on request (transparent huge pages at <c>madvise</c> or
/// <c>always</c>). Giving and clearing pages of 4 KiB one by one takes several times as long as reading the same bytes from the page cache.
/// </summary>
public static unsafe partial class LargePages
{
    /// <summary>Bytes of a page.</summary>
    internal const long Size = 2 << 20;

    /// <summary>A last page is wanted whole when the tensor needs this much of it; a smaller rest is on ordinary pages.</summary>
    private const long WorthAPage = Size / 4;

    // Of madvise(2); where the kernel does not know one it refuses, and the pages come as they always do.
    private const int Wanted = 14; // MADV_HUGEPAGE
    private const int Present = 23; // MADV_POPULATE_WRITE

    /// <summary>
    /// An uninitialised contiguous tensor in the processor's memory, like <c>torch.empty</c>. From 2 MiB on it begins at a multiple of 2
    /// MiB and is on large pages where the system has them; touch it from several threads by whole pages, or two of them clear the same
    /// one.
    /// </summary>
    /// <param name="shape">Sizes, outermost first.</param>
    /// <param name="type">Element type.</param>
    public static torch.Tensor Empty(ReadOnlySpan<long> shape, torch.ScalarType type)
    {
        var layout = new TensorLayout("", type, shape.ToArray());
        if (layout.Bytes < Size || !OperatingSystem.IsLinux())
        {
            return torch.empty(shape, dtype: type);
        }

        using var scope = torch.NewDisposeScope();
        // What is before the first and behind the last page is never touched, and takes no memory.
        var room = NativeHeap.Mapped(() => torch.empty([(layout.Bytes + (2 * Size)) / layout.ElementSize], dtype: type));
        var start = Address(room);
        var aligned = (start + Size - 1) / Size * Size;
        var wanted = (layout.Bytes + Size - WorthAPage) / Size * Size;
        _ = Advise((void*)aligned, (nuint)wanted, Wanted);
        return room.narrow(0, (aligned - start) / layout.ElementSize, layout.Bytes / layout.ElementSize)
            .view([.. layout.Shape])
            .MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The tensor in another element type, a <see cref="Copy"/>; itself where it has that type already.
    /// </summary>
    public static torch.Tensor Convert(torch.Tensor tensor, torch.ScalarType type) => tensor.dtype == type ? tensor : Copy(tensor, type);

    /// <summary>
    /// A contiguous copy in an element type, on the tensor's device; in the processor's memory as <see cref="Empty"/> gives it.
    /// </summary>
    public static torch.Tensor Copy(torch.Tensor tensor, torch.ScalarType type)
    {
        using var scope = torch.NewDisposeScope();
        var copy =
            tensor.device.type == DeviceType.CPU ? Empty(tensor.shape, type).copy_(tensor) : tensor.to_type(type, copy: true).contiguous();
        return copy.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Has the system give the pages of untouched memory at once, which is quicker than one by one in the middle of a read.
    /// </summary>
    internal static void Prepare(byte* start, long length)
    {
        if (OperatingSystem.IsLinux())
        {
            const long Min = 4096;
            var first = ((nint)start + Min - 1) / Min * Min;
            _ = Advise((void*)first, (nuint)Math.Max(0, (nint)start + length - first) / (nuint)Min * (nuint)Min, Present);
        }
    }

    /// <summary>Where a contiguous CPU tensor of at least one element begins, however large it is; valid while the tensor lives.</summary>
    public static nint Address(torch.Tensor tensor)
    {
        using var scope = torch.NewDisposeScope();
        // A span ends at 2 GiB; that of the first element begins where the tensor does.
        return (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(tensor.view(-1).narrow(0, 0, 1).bytes));
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* start, nuint length, int advice);
}
