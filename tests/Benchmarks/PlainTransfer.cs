using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.Benchmarks;

/// <summary>
/// Reads and writes files without looking at what is in them: the rates that nothing which reads or writes the same file can exceed.
/// </summary>
/// <param name="threads">Threads that read at once.</param>
internal sealed unsafe class PlainTransfer(int threads) : IDisposable
{
    private const int Piece = 4 << 20;

    private byte* _memory;

    /// <summary>Reads a file, each thread into one small buffer again and again.</summary>
    public void Read(string path)
    {
        using var file = File.OpenHandle(path);
        var length = RandomAccess.GetLength(file);
        Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, thread =>
        {
            var buffer = GC.AllocateUninitializedArray<byte>(Piece);
            for (var at = (long)thread * Piece; at < length; at += (long)threads * Piece)
            {
                Fill(file, buffer.AsSpan(0, (int)Math.Min(Piece, length - at)), at);
            }
        });
    }

    /// <summary>Reads a file into memory of its length that is there already: what who wants to keep the file must do at least.</summary>
    public void ReadAndKeep(string path)
    {
        using var file = File.OpenHandle(path);
        var length = RandomAccess.GetLength(file);
        if (_memory is null)
        {
            _memory = (byte*)NativeMemory.Alloc((nuint)length);
            NativeMemory.Fill(_memory, (nuint)length, 1);
        }

        Read(file, _memory, length);
    }

    /// <summary>
    /// Reads a file into fresh memory of its length, whose pages (of 2 MiB where the system has them) have to be given and cleared first:
    /// what a loader cannot do without.
    /// </summary>
    public void ReadIntoFresh(string path)
    {
        using var file = File.OpenHandle(path);
        var length = RandomAccess.GetLength(file);
        using var memory = LargePages.Empty([length], torch.ScalarType.Byte);
        Read(file, (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(memory.bytes)), length);
    }

    /// <summary>Uses so many bytes of memory, and frees them.</summary>
    public static void Touch(long bytes)
    {
        using var scope = torch.NewDisposeScope();
        LargePages.Empty([bytes / sizeof(long)], torch.ScalarType.Int64).zero_();
    }

    /// <summary>Writes as many bytes and waits until they are on the disk.</summary>
    public void Write(string path, long length)
    {
        var buffer = GC.AllocateUninitializedArray<byte>(Piece);
        new Random(1).NextBytes(buffer);
        File.Delete(path);
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        for (long at = 0; at < length; at += Piece)
        {
            file.Write(buffer.AsSpan(0, (int)Math.Min(Piece, length - at)));
        }

        file.Flush(flushToDisk: true);
    }

    public void Dispose() => NativeMemory.Free(_memory);

    private void Read(Microsoft.Win32.SafeHandles.SafeFileHandle file, byte* memory, long length) =>
        Parallel.For(0, (length + Piece - 1) / Piece, new ParallelOptions { MaxDegreeOfParallelism = threads }, piece =>
        {
            var at = piece * Piece;
            Fill(file, new Span<byte>(memory + at, (int)Math.Min(Piece, length - at)), at);
        });

    private static void Fill(Microsoft.Win32.SafeHandles.SafeFileHandle file, Span<byte> target, long at)
    {
        for (var done = 0; done < target.Length; )
        {
            var read = RandomAccess.Read(file, target[done..], at + done);
            done += read > 0 ? read : throw new EndOfStreamException();
        }
    }
}
