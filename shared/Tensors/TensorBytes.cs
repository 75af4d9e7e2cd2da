using ClipSae.Contracts;
using Microsoft.Win32.SafeHandles;
using TorchSharp;

namespace ClipSae.Tensors;

/// <summary>
/// Reads tensors' bytes by plain reads, a large tensor by several threads at once. The pages of a mapping would count as this process's memory, so
/// that reading a checkpoint once would take its size twice, and a file cut short meanwhile would end the process.
/// </summary>
internal static unsafe class TensorBytes
{
    // A large page, so that no page is cleared by two threads: large tensors begin with one.
    private const long Piece = LargePages.Size;

    private static readonly ParallelOptions Threads = new() { MaxDegreeOfParallelism = Math.Min(8, Environment.ProcessorCount) };

    /// <summary>Fills a contiguous tensor from a place in a file.</summary>
    /// <param name="name">What to call the file in errors.</param>
    /// <exception cref="UserErrorException">The file is shorter than it was when it was opened, or cannot be read.</exception>
    public static void Fill(torch.Tensor tensor, SafeFileHandle file, long offset, string name)
    {
        using var scope = torch.NewDisposeScope();
        var length = tensor.NumberOfElements * tensor.ElementSize;
        if (length == 0)
        {
            return;
        }

        var start = (byte*)LargePages.Address(tensor);
        if (length < 2 * Piece)
        {
            Fill(start, length, file, offset, name);
            return;
        }

        try
        {
            Parallel.For(0, (length + Piece - 1) / Piece, Threads, piece =>
            {
                var (at, size) = (piece * Piece, Math.Min(Piece, length - (piece * Piece)));
                LargePages.Prepare(start + at, size);
                Fill(start + at, size, file, offset + at, name);
            });
        }
        catch (AggregateException failure) when (failure.GetBaseException() is UserErrorException first)
        {
            throw new UserErrorException(first.Message, failure);
        }
    }

    private static void Fill(byte* target, long length, SafeFileHandle file, long offset, string name)
    {
        try
        {
            for (long done = 0; done < length;)
            {
                var read = RandomAccess.Read(file, new Span<byte>(target + done, (int)Math.Min(Piece, length - done)), offset + done);
                done += read > 0 ? read : throw new UserErrorException($"{name}: ends early at byte {offset + done}; it was changed while it was being read");
            }
        }
        catch (IOException failure)
        {
            throw new UserErrorException($"{name}: cannot be read: {failure.Message}");
        }
    }
}
