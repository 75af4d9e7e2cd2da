using System.IO.Hashing;
using TorchSharp;

namespace ClipSae.Tensors.Torch;

/// <summary>
/// Writes state dicts as <c>torch.save</c> does since PyTorch 1.6, for <c>torch.load(weights_only=True)</c>. Equal tensors in equal order
/// give equal bytes. The file appears whole or not at all.
/// </summary>
public static class TorchWriter
{
    /// <summary>Name of the folder inside of the archive.</summary>
    private const string Folder = "archive/";

    private const long Chunk = 1L << 24;

    /// <summary>Writes tensors that are made one at a time.</summary>
    /// <param name="layouts">Name, type and sizes of every tensor, in the order of the state dict.</param>
    /// <param name="make">Gives the tensor of a name, which is disposed after it is written.</param>
    /// <exception cref="Contracts.UserErrorException">The file cannot be written.</exception>
    public static void WriteStreaming(string path, IReadOnlyList<TensorLayout> layouts, Func<string, torch.Tensor> make) =>
        SafetensorsWriter.WriteAtomically(path, stream =>
        {
            var zip = new StoredZip(stream);
            Add(zip, "data.pkl", StateDictPickle.Write(layouts));
            Add(zip, "byteorder", "little"u8);
            var place = 0;
            WrittenAhead.Run(layouts, make, (layout, tensor) =>
            {
                using var scope = torch.NewDisposeScope();
                Add(zip, FormattableString.Invariant($"data/{place++}"), tensor.detach().cpu().contiguous(), layout.Bytes);
            });

            Add(zip, "version", "3\n"u8);
            zip.End();
        });

    private static void Add(StoredZip zip, string name, ReadOnlySpan<byte> content)
    {
        zip.Begin(Folder + name, Crc32.HashToUInt32(content), content.Length);
        zip.Append(content);
    }

    private static void Add(StoredZip zip, string name, torch.Tensor tensor, long bytes)
    {
        var crc = new Crc32();
        ForEachChunk(tensor, crc.Append);
        zip.Begin(Folder + name, crc.GetCurrentHashAsUInt32(), bytes);
        ForEachChunk(tensor, zip.Append);
    }

    private static void ForEachChunk(torch.Tensor tensor, Action<ReadOnlySpan<byte>> action)
    {
        using var scope = torch.NewDisposeScope();
        var flat = tensor.view(-1);
        var elementsAtOnce = Chunk / tensor.ElementSize;
        for (long done = 0; done < flat.NumberOfElements; done += elementsAtOnce)
        {
            action(flat.narrow(0, done, Math.Min(elementsAtOnce, flat.NumberOfElements - done)).bytes);
        }
    }
}
