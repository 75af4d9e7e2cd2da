using TorchSharp;

namespace ClipSae.Tensors.Onnx;

/// <summary>Writes ONNX files (onnx.proto, IR version 8), weights inside, one tensor at a time. Equal graphs give equal bytes.</summary>
public static class OnnxFile
{
    /// <summary>The operator set: the first with LayerNormalization.</summary>
    public const int Opset = 17;

    private const int IrVersion = 8;
    private const int GraphField = 7;
    private const int InitializerField = 5;
    private const int RawDataField = 9;

    /// <summary>Protobuf messages end at 2 GiB.</summary>
    private const long MaxFile = int.MaxValue;

    /// <param name="name">Name of the graph.</param>
    /// <param name="metadata">Texts that are in the file, for example how inputs are prepared.</param>
    /// <param name="written">Called after each weight.</param>
    /// <exception cref="UserErrorException">The model is too large for one file, or the file cannot be written.</exception>
    public static void Write(
        string path,
        string name,
        OnnxGraph graph,
        IReadOnlyDictionary<string, string> metadata,
        Action? written = null
    )
    {
        var start = new ProtobufMessage()
            .Number(1, IrVersion)
            .Text(2, "clipsae")
            .Message(8, new ProtobufMessage().Text(1, "").Number(2, Opset));
        foreach (var (key, value) in metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            start.Message(14, new ProtobufMessage().Text(1, key).Text(2, value));
        }

        var named = new ProtobufMessage().Text(2, name);
        var headers = graph.Weights.Select(weight => Header(weight.Layout)).ToArray();
        var weights = graph
            .Weights.Select(
                (weight, place) => new ProtobufMessage().Announce(InitializerField, headers[place].Bytes.Length + weight.Layout.Bytes)
            )
            .ToArray();
        long length = graph.Nodes.Length + graph.Ends.Length + named.Bytes.Length;
        for (var place = 0; place < weights.Length; place++)
        {
            length += weights[place].Bytes.Length + headers[place].Bytes.Length + graph.Weights[place].Layout.Bytes;
        }

        UserErrorException.ThrowIf(
            length > MaxFile - start.Bytes.Length,
            $"{path}: the model takes {length} bytes; an ONNX file ends at {MaxFile}"
        );

        start.Announce(GraphField, length);
        SafetensorsWriter.WriteAtomically(path, stream =>
        {
            stream.Write(start.Bytes);
            stream.Write(graph.Nodes);
            stream.Write(named.Bytes);
            for (var place = 0; place < weights.Length; place++)
            {
                stream.Write(weights[place].Bytes);
                stream.Write(headers[place].Bytes);
                using var scope = torch.NewDisposeScope();
                SafetensorsWriter.WriteData(stream, graph.Weights[place].Make());
                written?.Invoke();
            }

            stream.Write(graph.Ends);
        });
    }

    /// <summary>ONNX's number of an element type (TensorProto.DataType).</summary>
    internal static long TypeNumber(torch.ScalarType type) =>
        type switch
        {
            torch.ScalarType.Float32 => 1,
            torch.ScalarType.Int32 => 6,
            torch.ScalarType.Int64 => 7,
            _ => throw new NotSupportedException($"no ONNX type is known for {type}"),
        };

    // TensorProto: dims 1, data_type 2, name 8, raw_data 9; the data itself follows.
    private static ProtobufMessage Header(TensorLayout layout)
    {
        var header = new ProtobufMessage();
        foreach (var size in layout.Shape)
        {
            header.Number(1, size);
        }

        return header.Number(2, TypeNumber(layout.Type)).Text(8, layout.Name).Announce(RawDataField, layout.Bytes);
    }
}
