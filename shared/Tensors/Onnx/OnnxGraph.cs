using TorchSharp;

namespace ClipSae.Tensors.Onnx;

/// <summary>A computation as ONNX describes it, built node by node. Weights are named here and made when the file is written.</summary>
public sealed class OnnxGraph
{
    private const int NodeField = 1;
    private const int InputField = 11;
    private const int OutputField = 12;

    private readonly ProtobufMessage _nodes = new();
    private readonly ProtobufMessage _ends = new();
    private readonly List<(TensorLayout Layout, Func<torch.Tensor> Make)> _weights = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private int _made;

    /// <summary>Weights and constants named so far.</summary>
    public int WeightCount => _weights.Count;

    internal ReadOnlySpan<byte> Nodes => _nodes.Bytes;

    internal ReadOnlySpan<byte> Ends => _ends.Bytes;

    internal IReadOnlyList<(TensorLayout Layout, Func<torch.Tensor> Make)> Weights => _weights;

    /// <summary>Declares an input whose first axis is the batch, of any size.</summary>
    public string Input(string name, torch.ScalarType type, params long[] rest)
    {
        _ends.Message(InputField, End(name, type, rest));
        return name;
    }

    /// <summary>Declares that a value is an output; its first axis is the batch.</summary>
    public void Output(string name, torch.ScalarType type, params long[] rest) => _ends.Message(OutputField, End(name, type, rest));

    /// <summary>Names a weight; naming it twice is naming it once.</summary>
    public string Weight(TensorLayout layout, Func<torch.Tensor> make)
    {
        if (_names.Add(layout.Name))
        {
            _weights.Add((layout, make));
        }

        return layout.Name;
    }

    /// <summary>Names a constant list of whole numbers, such as a shape.</summary>
    public string Numbers(params long[] values)
    {
        var name = "numbers_" + string.Join('_', values);
        return Weight(new TensorLayout(name, torch.ScalarType.Int64, [values.Length]), () => torch.tensor(values));
    }

    /// <summary>Adds an operation with one result.</summary>
    /// <param name="attributes">Values: long, float, or long[].</param>
    /// <returns>Name of the result: the one given, or a new one.</returns>
    public string Node(string operation, string[] inputs, string? result = null, params (string Name, object Value)[] attributes) =>
        Add(operation, inputs, [result ?? $"{operation}_{_made++}"], attributes)[0];

    /// <summary>Adds an operation with several results.</summary>
    public string[] Node(string operation, string[] inputs, int results, params (string Name, object Value)[] attributes) =>
        Add(operation, inputs, [.. Enumerable.Range(0, results).Select(_ => $"{operation}_{_made++}")], attributes);

    private string[] Add(string operation, string[] inputs, string[] results, (string Name, object Value)[] attributes)
    {
        var node = new ProtobufMessage();
        foreach (var input in inputs)
        {
            node.Text(1, input);
        }

        foreach (var result in results)
        {
            node.Text(2, result);
        }

        node.Text(3, "node_" + results[0]).Text(4, operation);
        foreach (var (name, value) in attributes)
        {
            node.Message(5, Attribute(name, value));
        }

        _nodes.Message(NodeField, node);
        return results;
    }

    // AttributeProto: name 1, f 2, i 3, ints 8, type 20 (FLOAT 1, INT 2, INTS 7).
    private static ProtobufMessage Attribute(string name, object value)
    {
        var attribute = new ProtobufMessage().Text(1, name);
        switch (value)
        {
            case float number:
                return attribute.Float(2, number).Number(20, 1);
            case long number:
                return attribute.Number(3, number).Number(20, 2);
            case long[] numbers:
                foreach (var number in numbers)
                {
                    attribute.Number(8, number);
                }

                return attribute.Number(20, 7);
            default:
                throw new ArgumentException($"attribute '{name}' is a {value.GetType().Name}", nameof(value));
        }
    }

    // ValueInfoProto: name 1, type 2 { tensor_type 1 { elem_type 1, shape 2 { dim 1 { dim_value 1 or dim_param 2 } } } }.
    private static ProtobufMessage End(string name, torch.ScalarType type, long[] rest)
    {
        var shape = new ProtobufMessage().Message(1, new ProtobufMessage().Text(2, "batch"));
        foreach (var size in rest)
        {
            shape.Message(1, new ProtobufMessage().Number(1, size));
        }

        var tensor = new ProtobufMessage().Number(1, OnnxFile.TypeNumber(type)).Message(2, shape);
        return new ProtobufMessage().Text(1, name).Message(2, new ProtobufMessage().Message(1, tensor));
    }
}
