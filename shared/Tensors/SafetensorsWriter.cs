using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using ClipSae.Artifacts;
using TorchSharp;

namespace ClipSae.Tensors;

/// <summary>
/// Writes safetensors files. Equal tensors and metadata give equal bytes: keys are sorted (as the original library does,
/// widest elements first so that each tensor is aligned, then by name). The file appears whole or not at all.
/// </summary>
public static class SafetensorsWriter
{
    private const int Alignment = 8;
    private const long CopyChunk = 1L << 24;

    /// <exception cref="UserErrorException">The file cannot be written.</exception>
    public static void Write(
        string path,
        IEnumerable<KeyValuePair<string, torch.Tensor>> tensors,
        IReadOnlyDictionary<string, string>? metadata = null
    )
    {
        var ordered = tensors.OrderByDescending(t => t.Value.ElementSize).ThenBy(t => t.Key, StringComparer.Ordinal).ToList();
        var entries = ordered.Select(t => new TensorLayout(t.Key, t.Value.dtype, t.Value.shape)).ToList();
        WriteAtomically(path, stream =>
        {
            WriteHeader(stream, entries, metadata);
            foreach (var (_, tensor) in ordered)
            {
                WriteData(stream, tensor);
            }
        });
    }

    /// <summary>
    /// Writes tensors that are made one at a time, so that a file larger than memory can be written. The file is the one that
    /// <see cref="Write"/> gives for the same tensors.
    /// </summary>
    /// <param name="layouts">Name, type and sizes of every tensor to come.</param>
    /// <param name="make">Gives the tensor of a name, which is disposed after it is written; the next is made meanwhile.</param>
    /// <exception cref="UserErrorException">The file cannot be written.</exception>
    public static void WriteStreaming(
        string path,
        IEnumerable<TensorLayout> layouts,
        Func<string, torch.Tensor> make,
        IReadOnlyDictionary<string, string>? metadata = null
    )
    {
        var ordered = layouts
            .OrderByDescending(layout => layout.ElementSize)
            .ThenBy(layout => layout.Name, StringComparer.Ordinal)
            .ToList();
        WriteAtomically(path, stream =>
        {
            WriteHeader(stream, ordered, metadata);
            WrittenAhead.Run(ordered, make, (_, tensor) => WriteData(stream, tensor));
        });
    }

    /// <summary>Writes the header of a file whose data the caller then appends in the order of <paramref name="entries"/>.</summary>
    /// <param name="room">Bytes the JSON is padded to, where its place was kept free; a multiple of 8 when 0.</param>
    internal static void WriteHeader(
        Stream stream,
        IReadOnlyList<TensorLayout> entries,
        IReadOnlyDictionary<string, string>? metadata,
        int room = 0
    )
    {
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                writer.WriteStartObject("__metadata__");
                foreach (var (key, value) in metadata.OrderBy(m => m.Key, StringComparer.Ordinal))
                {
                    writer.WriteString(key, value);
                }

                writer.WriteEndObject();
            }

            long offset = 0;
            foreach (var entry in entries)
            {
                writer.WriteStartObject(entry.Name);
                writer.WriteString("dtype", SafetensorsDtype.FromScalarType(entry.Type));
                WriteNumbers(writer, "shape", entry.Shape);
                WriteNumbers(writer, "data_offsets", [offset, offset + entry.Bytes]);
                writer.WriteEndObject();
                offset += entry.Bytes;
            }

            writer.WriteEndObject();
        }

        if (room > 0 && json.Length > room)
        {
            throw new InvalidOperationException($"the header takes {json.Length} bytes where {room} were kept free");
        }

        while (json.Length % Alignment != 0 || json.Length < room)
        {
            json.WriteByte((byte)' ');
        }

        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        stream.Write(length);
        json.WriteTo(stream);
    }

    /// <summary>Appends a tensor's elements, row-major.</summary>
    internal static void WriteData(Stream stream, torch.Tensor tensor)
    {
        if (tensor.NumberOfElements == 0)
        {
            return;
        }

        using var scope = torch.NewDisposeScope();
        var flat = tensor.detach().cpu().contiguous().view(-1);
        var elementsAtOnce = CopyChunk / flat.ElementSize;
        for (long done = 0; done < flat.NumberOfElements; done += elementsAtOnce)
        {
            stream.Write(flat.narrow(0, done, Math.Min(elementsAtOnce, flat.NumberOfElements - done)).bytes);
        }
    }

    /// <summary>Runs <paramref name="write"/> on a temporary neighbour of <paramref name="path"/>, then renames it into place.</summary>
    internal static void WriteAtomically(string path, Action<Stream> write)
    {
        var temporary = $"{path}.{Guid.NewGuid():N}.partial";
        try
        {
            using var stream = new DigestedFile(temporary);
            write(stream);
            stream.Complete(path);
        }
        catch (Exception failure)
        {
            if (File.Exists(temporary))
            {
                File.Delete(temporary);
            }

            UserErrorException.ThrowIf(
                failure is IOException or UnauthorizedAccessException,
                $"{path}: cannot be written: {failure.Message}"
            );

            throw;
        }
    }

    private static void WriteNumbers(Utf8JsonWriter writer, string name, IEnumerable<long> numbers)
    {
        writer.WriteStartArray(name);
        foreach (var number in numbers)
        {
            writer.WriteNumberValue(number);
        }

        writer.WriteEndArray();
    }
}
