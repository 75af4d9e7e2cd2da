using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace ClipSae.Tensors.Torch;

/// <summary>
/// Runs the part of Python's pickle language (protocols 2 to 5) that checkpoints use. Names are never imported and nothing is ever
/// executed; every count is held against the bytes that are there, and the number of steps is bounded.
/// </summary>
internal ref struct PickleMachine(ReadOnlySpan<byte> bytes, IPickleWorld world)
{
    /// <summary>
    /// Steps that no checkpoint comes near (a ViT-L/14 module takes about 100 thousand), so that small values cannot fill memory.
    /// </summary>
    private const int MaxSteps = 4_000_000;

    private static readonly object Mark = new();
    private static readonly object?[] EmptyTuple = [];
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private readonly List<object?> _stack = [];
    private readonly Dictionary<uint, object?> _memo = [];
    private int _position;
    private int _start;

    /// <summary>Bytes read so far.</summary>
    public readonly int Position => _position;

    /// <summary>Reads one pickle.</summary>
    /// <returns>null, bool, long, <see cref="BigInteger"/>, double, string, byte[], object[] (a tuple), List (list or set),
    /// <see cref="PickleDict"/>, <see cref="PickleGlobal"/>, <see cref="PickleObject"/>, or what the world gives.</returns>
    /// <exception cref="PickleException">The pickle cannot be read.</exception>
    public object? Run()
    {
        for (var step = 0; step < MaxSteps; step++)
        {
            _start = _position;
            var code = (PickleOpcode)Next();
            if (code == PickleOpcode.Stop)
            {
                return Pop();
            }

            Step(code);
        }

        throw Refuse($"it takes more than {MaxSteps} steps");
    }

    private void Step(PickleOpcode code)
    {
        switch (code)
        {
            case PickleOpcode.Proto:
                if (Next() is var protocol && protocol > 5)
                {
                    throw Refuse($"it is written in the unknown protocol {protocol}");
                }

                break;
            case PickleOpcode.Frame:
                Take(8);
                break;
            case PickleOpcode.Mark:
                Push(Mark);
                break;
            case PickleOpcode.Pop:
                Pop();
                break;
            case PickleOpcode.PopMark:
                PopToMark();
                break;
            case PickleOpcode.None:
                Push(null);
                break;
            case PickleOpcode.True:
                Push(true);
                break;
            case PickleOpcode.False:
                Push(false);
                break;
            case PickleOpcode.Int:
                Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4)));
                break;
            case PickleOpcode.Int1:
                Push((long)Next());
                break;
            case PickleOpcode.Int2:
                Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2)));
                break;
            case PickleOpcode.Long1:
                Push(Long(Take(Next())));
                break;
            case PickleOpcode.Float:
                Push(BinaryPrimitives.ReadDoubleBigEndian(Take(8)));
                break;
            case PickleOpcode.Unicode1:
                Push(Text(Take(Next())));
                break;
            case PickleOpcode.Unicode4:
                Push(Text(Take(Count4())));
                break;
            case PickleOpcode.Unicode8:
                Push(Text(Take(Count8())));
                break;
            case PickleOpcode.Bytes1:
                Push(Take(Next()).ToArray());
                break;
            case PickleOpcode.Bytes4:
                Push(Take(Count4()).ToArray());
                break;
            // Python 2 strings, whose encoding the pickle does not say; checkpoints hold ASCII there.
            case PickleOpcode.String1:
                Push(Encoding.Latin1.GetString(Take(Next())));
                break;
            case PickleOpcode.EmptyTuple:
                Push(EmptyTuple);
                break;
            case PickleOpcode.Tuple:
                Push(PopToMark());
                break;
            case PickleOpcode.Tuple1:
                Push(PopMany(1));
                break;
            case PickleOpcode.Tuple2:
                Push(PopMany(2));
                break;
            case PickleOpcode.Tuple3:
                Push(PopMany(3));
                break;
            case PickleOpcode.EmptyList or PickleOpcode.EmptySet:
                Push(new List<object?>());
                break;
            case PickleOpcode.Append:
                Append(PopMany(1));
                break;
            case PickleOpcode.Appends or PickleOpcode.AddItems:
                Append(PopToMark());
                break;
            case PickleOpcode.EmptyDict:
                Push(new PickleDict());
                break;
            case PickleOpcode.SetItem:
                SetItems(PopMany(2));
                break;
            case PickleOpcode.SetItems:
                SetItems(PopToMark());
                break;
            case PickleOpcode.Put1:
                _memo[Next()] = Peek();
                break;
            case PickleOpcode.Put4:
                _memo[BinaryPrimitives.ReadUInt32LittleEndian(Take(4))] = Peek();
                break;
            case PickleOpcode.Memoize:
                _memo[(uint)_memo.Count] = Peek();
                break;
            case PickleOpcode.Get1:
                Push(Recall(Next()));
                break;
            case PickleOpcode.Get4:
                Push(Recall(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))));
                break;
            case PickleOpcode.Global:
                Push(new PickleGlobal(Line(), Line(), _start));
                break;
            case PickleOpcode.StackGlobal:
                PushGlobal(PopMany(2));
                break;
            case PickleOpcode.NewObject:
                NewObject(PopMany(2));
                break;
            case PickleOpcode.Reduce:
                Reduce(PopMany(2));
                break;
            case PickleOpcode.Build:
                Build(Pop());
                break;
            case PickleOpcode.PersistentId:
                Push(world.Resolve(Pop(), _start));
                break;
            default:
                throw Refuse($"it has the unknown or unsupported opcode 0x{(byte)code:x2}");
        }
    }

    private void PushGlobal(object?[] parts) =>
        Push(
            parts is [string module, string name]
                ? new PickleGlobal(module, name, _start)
                : throw Refuse("a global is not named by two texts")
        );

    private void NewObject(object?[] parts) =>
        Push(
            parts is [PickleGlobal type, object?[]]
                ? type is { Module: "collections", Name: "OrderedDict" }
                    ? new PickleDict()
                    : TorchNames.IsModuleLike(type)
                        ? new PickleObject(type)
                        : throw TorchNames.Refuse(type)
                : throw Refuse("an object is made of something that is not a class")
        );

    private void Reduce(object?[] parts) =>
        Push(
            parts switch
            {
                [PickleGlobal function, object?[] arguments] => world.Call(function, arguments, _start),
                _ => throw Refuse("something is called that is not a global"),
            }
        );

    private void Build(object? state)
    {
        switch (Peek())
        {
            case PickleObject made:
                made.State = state;
                break;
            case PickleGlobal name:
                throw TorchNames.Refuse(name);
            case PickleDict or TorchTensor:
                // Attributes of a state dict (_metadata) or of a tensor: nothing that weights need.
                break;
            default:
                throw Refuse("a state is given to a value that has none");
        }
    }

    private void Append(object?[] items)
    {
        if (Peek() is not List<object?> list)
        {
            throw Refuse("items are added to something that is not a list");
        }

        foreach (var item in items)
        {
            list.Add(Value(item));
        }
    }

    private void SetItems(object?[] items)
    {
        if (Peek() is not PickleDict dict || items.Length % 2 != 0)
        {
            throw Refuse("items are set in something that is not a dictionary");
        }

        for (var i = 0; i < items.Length; i += 2)
        {
            dict.Items.Add(new(Value(items[i]), Value(items[i + 1])));
        }
    }

    /// <summary>A value that is kept: here a global would stay that no caller looks at, so it is judged here.</summary>
    private readonly object? Value(object? value) =>
        value is PickleGlobal name && !TorchNames.IsHarmless(name) ? throw TorchNames.Refuse(name) : value;

    private readonly object? Recall(uint index) =>
        _memo.TryGetValue(index, out var value) ? value : throw Refuse($"it recalls value {index}, which it never stored");

    private readonly void Push(object? value) => _stack.Add(value);

    private readonly object? Peek() =>
        _stack.Count > 0 && _stack[^1] != Mark ? _stack[^1] : throw Refuse("it pops a value from an empty stack");

    private readonly object? Pop()
    {
        var top = Peek();
        _stack.RemoveAt(_stack.Count - 1);
        return top;
    }

    private readonly object?[] PopMany(int count)
    {
        var start = _stack.Count - count;
        if (start < 0 || _stack.FindIndex(start, value => value == Mark) >= 0)
        {
            throw Refuse("it pops a value from an empty stack");
        }

        return Cut(start, start);
    }

    private readonly object?[] PopToMark()
    {
        var mark = _stack.LastIndexOf(Mark);
        return mark >= 0 ? Cut(mark, mark + 1) : throw Refuse("it pops values down to a missing mark");
    }

    private readonly object?[] Cut(int remove, int start)
    {
        var values = _stack.GetRange(start, _stack.Count - start).ToArray();
        _stack.RemoveRange(remove, _stack.Count - remove);
        return values;
    }

    private byte Next() => Take(1)[0];

    private ReadOnlySpan<byte> Take(long count)
    {
        if (count < 0 || count > _bytes.Length - _position)
        {
            throw Refuse("it ends early");
        }

        _position += (int)count;
        return _bytes.Slice(_position - (int)count, (int)count);
    }

    private long Count4() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    private long Count8() => BinaryPrimitives.ReadInt64LittleEndian(Take(8));

    private string Line()
    {
        var end = _bytes[_position..].IndexOf((byte)'\n');
        return end < 0 ? throw Refuse("it ends early") : Text(Take(end + 1)[..end]);
    }

    private readonly string Text(ReadOnlySpan<byte> utf8)
    {
        try
        {
            return Utf8.GetString(utf8);
        }
        catch (DecoderFallbackException)
        {
            throw Refuse("a text is not UTF-8");
        }
    }

    private static object Long(ReadOnlySpan<byte> littleEndian)
    {
        var number = new BigInteger(littleEndian);
        return number >= long.MinValue && number <= long.MaxValue ? (long)number : number;
    }

    private readonly PickleException Refuse(string reason) => new(_start, reason);
}
