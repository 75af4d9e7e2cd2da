using System.Text;

namespace ClipSae.Tensors.Onnx;

/// <summary>Writes the fields of one protobuf message; all that ONNX files need of the format.</summary>
internal sealed class ProtobufMessage
{
    private const int Varint = 0;
    private const int Delimited = 2;
    private const int Fixed32 = 5;

    private readonly MemoryStream _bytes = new();

    public ReadOnlySpan<byte> Bytes => _bytes.GetBuffer().AsSpan(0, (int)_bytes.Length);

    public ProtobufMessage Number(int field, long value)
    {
        Raw(((ulong)field << 3) | Varint);
        Raw((ulong)value);
        return this;
    }

    public ProtobufMessage Float(int field, float value)
    {
        Raw(((ulong)field << 3) | Fixed32);
        _bytes.Write(BitConverter.GetBytes(value));
        return this;
    }

    public ProtobufMessage Text(int field, string value) => Content(field, Encoding.UTF8.GetBytes(value));

    public ProtobufMessage Message(int field, ProtobufMessage value) => Content(field, value.Bytes);

    public ProtobufMessage Content(int field, ReadOnlySpan<byte> value)
    {
        Announce(field, value.Length);
        _bytes.Write(value);
        return this;
    }

    /// <summary>Begins a field of so many bytes, which the caller writes behind this message's.</summary>
    public ProtobufMessage Announce(int field, long length)
    {
        Raw(((ulong)field << 3) | Delimited);
        Raw((ulong)length);
        return this;
    }

    private void Raw(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            _bytes.WriteByte((byte)(value | 0x80));
        }

        _bytes.WriteByte((byte)value);
    }
}
