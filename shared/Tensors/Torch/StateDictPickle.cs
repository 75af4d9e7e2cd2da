using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace ClipSae.Tensors.Torch;

/// <summary>
/// Writes the pickle of a state dict, byte for byte as Python's protocol 2 pickler writes it for <c>torch.save(OrderedDict)</c>: only
/// the opcodes and names that <c>torch.load(weights_only=True)</c> takes.
/// </summary>
internal sealed class StateDictPickle
{
    private readonly MemoryStream _bytes = new();
    private readonly Dictionary<string, int> _memo = new(StringComparer.Ordinal);
    private int _stored;

    /// <param name="layouts">The tensors; the storage of each is named by its place in the list.</param>
    public static byte[] Write(IReadOnlyList<TensorLayout> layouts)
    {
        var pickle = new StateDictPickle();
        pickle.Code(PickleOpcode.Proto);
        pickle.Byte(2);
        pickle.EmptyOrderedDict();
        if (layouts.Count > 0)
        {
            pickle.Code(PickleOpcode.Mark);
            for (var place = 0; place < layouts.Count; place++)
            {
                pickle.Text(layouts[place].Name);
                pickle.Tensor(layouts[place], place.ToString(CultureInfo.InvariantCulture));
            }

            pickle.Code(PickleOpcode.SetItems);
        }

        pickle.Code(PickleOpcode.Stop);
        return pickle._bytes.ToArray();
    }

    private void Tensor(TensorLayout layout, string key)
    {
        Global("torch._utils", "_rebuild_tensor_v2");
        Code(PickleOpcode.Mark);
        Code(PickleOpcode.Mark);
        Once("storage", () => Text("storage"));
        Global("torch", TorchNames.StorageClass(SafetensorsDtype.FromScalarType(layout.Type)));
        Text(key);
        Once("cpu", () => Text("cpu"));
        Number(layout.Bytes / layout.ElementSize);
        Code(PickleOpcode.Tuple);
        Put();
        Code(PickleOpcode.PersistentId);
        Number(0);
        Tuple(layout.Shape);
        Tuple(Strides(layout.Shape));
        Code(PickleOpcode.False);
        EmptyOrderedDict();
        Code(PickleOpcode.Tuple);
        Put();
        Code(PickleOpcode.Reduce);
        Put();
    }

    private void EmptyOrderedDict()
    {
        Global("collections", "OrderedDict");
        Code(PickleOpcode.EmptyTuple);
        Code(PickleOpcode.Reduce);
        Put();
    }

    private void Global(string module, string name) => Once($"{module}\n{name}\n", () =>
        {
            Code(PickleOpcode.Global);
            _bytes.Write(Encoding.ASCII.GetBytes($"{module}\n{name}\n"));
            Put();
        });

    private void Once(string what, Action write)
    {
        if (!_memo.TryGetValue(what, out var place))
        {
            write();
            _memo[what] = _stored - 1;
        }
        else if (place < 256)
        {
            Code(PickleOpcode.Get1);
            Byte(place);
        }
        else
        {
            Code(PickleOpcode.Get4);
            Int32(place);
        }
    }

    private void Text(string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        Code(PickleOpcode.Unicode4);
        Int32(utf8.Length);
        _bytes.Write(utf8);
        Put();
    }

    private void Tuple(IReadOnlyList<long> numbers)
    {
        if (numbers.Count == 0)
        {
            Code(PickleOpcode.EmptyTuple);
            return;
        }

        if (numbers.Count > 3)
        {
            Code(PickleOpcode.Mark);
        }

        foreach (var number in numbers)
        {
            Number(number);
        }

        Code(
            numbers.Count switch
            {
                1 => PickleOpcode.Tuple1,
                2 => PickleOpcode.Tuple2,
                3 => PickleOpcode.Tuple3,
                _ => PickleOpcode.Tuple,
            }
        );
        Put();
    }

    private void Number(long number)
    {
        switch (number)
        {
            case <= byte.MaxValue:
                Code(PickleOpcode.Int1);
                Byte((int)number);
                break;
            case <= ushort.MaxValue:
                Code(PickleOpcode.Int2);
                Byte((int)number & 0xff);
                Byte((int)number >> 8);
                break;
            case <= int.MaxValue:
                Code(PickleOpcode.Int);
                Int32((int)number);
                break;
            default:
                Code(PickleOpcode.Long1);
                // The shortest two's complement, as Python writes it.
                var bytes = new System.Numerics.BigInteger(number).ToByteArray();
                Byte(bytes.Length);
                _bytes.Write(bytes);
                break;
        }
    }

    private void Put()
    {
        if (_stored < 256)
        {
            Code(PickleOpcode.Put1);
            Byte(_stored);
        }
        else
        {
            Code(PickleOpcode.Put4);
            Int32(_stored);
        }

        _stored++;
    }

    private void Code(PickleOpcode code) => Byte((byte)code);

    private void Byte(int value) => _bytes.WriteByte((byte)value);

    private void Int32(int value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        _bytes.Write(bytes);
    }

    private static long[] Strides(IReadOnlyList<long> shape)
    {
        var strides = new long[shape.Count];
        long step = 1;
        for (var axis = shape.Count - 1; axis >= 0; axis--)
        {
            strides[axis] = step;
            // As PyTorch does, so that an axis of length 0 leaves the strides before it positive.
            step *= Math.Max(shape[axis], 1);
        }

        return strides;
    }
}
