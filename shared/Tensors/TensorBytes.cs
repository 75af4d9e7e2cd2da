using ClipSae.Contracts;
using Microsoft.Win32.SafeHandles;
using TorchSharp;

namespace ClipSae.Tensors;

/// <summary>
/// Reads tensors' bytes by plain reads. The pages of a mapping would count as this process's memory, so that reading a checkpoint once
/// would take its size twice.
/// </summary>
internal static class TensorBytes
{
    private const long Chunk = 1L << 28;

    /// <summary>Fills a contiguous tensor from a place in a file.</summary>
    /// <param name="name">What to call the file in errors.</param>
    /// <exception cref="UserErrorException">The file is shorter than it was when it was opened, or cannot be read.</exception>
    public static void Fill(torch.Tensor tensor, SafeFileHandle file, long offset, string name)
    {
        using var scope = torch.NewDisposeScope();
        var flat = tensor.view(-1);
        var elementsAtOnce = Chunk / tensor.ElementSize;
        for (long done = 0; done < flat.NumberOfElements; done += elementsAtOnce)
        {
            Fill(flat.narrow(0, done, Math.Min(elementsAtOnce, flat.NumberOfElements - done)).bytes, file, offset + (done * tensor.ElementSize), name);
        }
    }

    private static void Fill(Span<byte> target, SafeFileHandle file, long offset, string name)
    {
        try
        {
            for (var done = 0; done < target.Length;)
            {
                var read = RandomAccess.Read(file, target[done..], offset + done);
                done += read > 0 ? read : throw new UserErrorException($"{name}: ends early at byte {offset + done}; it was changed while it was being read");
            }
        }
        catch (IOException failure)
        {
            throw new UserErrorException($"{name}: cannot be read: {failure.Message}");
        }
    }
}
