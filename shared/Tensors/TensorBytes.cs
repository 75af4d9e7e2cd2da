using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using TorchSharp;

namespace ClipSae.Tensors;

/// <summary>
/// Reads tensors' bytes by plain reads, a large tensor by several threads at once. The pages of a mapping would count as this process's
/// memory, so that reading a checkpoint once would take its size twice, and a file cut short meanwhile would end the process.
/// </summary>
internal static unsafe partial class TensorBytes
{
    // A large page, so that no page is cleared by two threads: large tensors begin with one.
    private const long Piece = LargePages.Size;

    // How many pieces the disk learns of in advance, so that it continues while pages are given for the memory they are read into.
    private const int PiecesAhead = 8;
    private const int WillNeed = 3; // POSIX_FADV_WILLNEED

    private static readonly int Threads = Math.Min(8, Environment.ProcessorCount);

    /// <summary>Fills contiguous tensors, with threads that need not wait for each other at the end of each.</summary>
    /// <param name="targets">Tensors, and where in the file their bytes are.</param>
    /// <param name="file">The file.</param>
    /// <param name="name">What to call it in errors.</param>
    /// <param name="nonFinite">Where NaN and infinity are counted; they are not looked for when null.</param>
    /// <exception cref="UserErrorException">The file is shorter than it was when it was opened, or cannot be read.</exception>
    public static void Fill(IReadOnlyList<ReadTarget> targets, SafeFileHandle file, string name, NonFiniteValues? nonFinite)
    {
        using var scope = torch.NewDisposeScope();
        var pieces = new List<(nint Target, long Length, long Offset, string Name, torch.ScalarType Type)>();
        foreach (var (tensor, key, offset) in targets.Where(target => target.Tensor.NumberOfElements > 0))
        {
            var (start, length) = (LargePages.Address(tensor), tensor.NumberOfElements * tensor.ElementSize);
            for (long at = 0; at < length; at += Piece)
            {
                pieces.Add(((nint)(start + at), Math.Min(Piece, length - at), offset + at, key, tensor.dtype));
            }
        }

        if (pieces.Count < 2)
        {
            pieces.ForEach(Read);
            return;
        }

        // In the file's order, whichever thread takes a piece: a disk reads on best from where it is.
        pieces.Sort((one, other) => one.Offset.CompareTo(other.Offset));
        var taken = -1;
        pieces.GetRange(0, Math.Min(PiecesAhead, pieces.Count)).ForEach(Announce);
        try
        {
            Parallel.For(0, Threads, _ =>
            {
                for (int at; (at = Interlocked.Increment(ref taken)) < pieces.Count; )
                {
                    if (at + PiecesAhead < pieces.Count)
                    {
                        Announce(pieces[at + PiecesAhead]);
                    }

                    Read(pieces[at]);
                }
            });
        }
        catch (AggregateException failure) when (failure.GetBaseException() is UserErrorException first)
        {
            throw new UserErrorException(first.Message, failure);
        }

        void Announce((nint Target, long Length, long Offset, string Name, torch.ScalarType Type) piece)
        {
            if (OperatingSystem.IsLinux())
            {
                _ = Advise(file, piece.Offset, piece.Length, WillNeed);
            }
        }

        void Read((nint Target, long Length, long Offset, string Name, torch.ScalarType Type) piece)
        {
            if (piece.Length == Piece)
            {
                LargePages.Prepare((byte*)piece.Target, piece.Length);
            }

            // A whole piece, which is still in the processor's last cache when it is looked at: more and smaller reads cost more than a
            // nearer cache gains.
            Fill((byte*)piece.Target, piece.Length, file, piece.Offset, name);
            nonFinite?.Count(piece.Name, new ReadOnlySpan<byte>((byte*)piece.Target, (int)piece.Length), piece.Type);
        }
    }

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int Advise(SafeFileHandle file, long offset, long length, int advice);

    private static void Fill(byte* target, long length, SafeFileHandle file, long offset, string name)
    {
        try
        {
            for (long done = 0; done < length; )
            {
                var read = RandomAccess.Read(file, new Span<byte>(target + done, (int)Math.Min(Piece, length - done)), offset + done);
                done +=
                    read > 0
                        ? read
                        : throw new UserErrorException(
                            $"{name}: ends early at byte {offset + done}; it was changed while it was being read"
                        );
            }
        }
        catch (IOException failure)
        {
            throw new UserErrorException($"{name}: cannot be read: {failure.Message}");
        }
    }
}
