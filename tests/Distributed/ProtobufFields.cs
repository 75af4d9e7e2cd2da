using Google.Protobuf;

namespace ClipSae.Distributed;

/// <summary>The fields of one protobuf message by number, as bytes or as numbers: enough to read OTLP without its schema.</summary>
internal sealed class ProtobufFields
{
    private readonly List<(int Field, byte[] Bytes)> _messages = [];
    private readonly Dictionary<int, ulong> _numbers = [];

    public ProtobufFields(byte[] message)
    {
        var input = new CodedInputStream(message);
        for (uint tag; (tag = input.ReadTag()) != 0; )
        {
            var field = WireFormat.GetTagFieldNumber(tag);
            switch (WireFormat.GetTagWireType(tag))
            {
                case WireFormat.WireType.LengthDelimited:
                    _messages.Add((field, input.ReadBytes().ToByteArray()));
                    break;
                case WireFormat.WireType.Fixed64:
                    _numbers[field] = input.ReadFixed64();
                    break;
                case WireFormat.WireType.Varint:
                    _numbers[field] = input.ReadUInt64();
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }
    }

    public IEnumerable<ProtobufFields> Messages(int field) =>
        _messages.Where(message => message.Field == field).Select(message => new ProtobufFields(message.Bytes));

    public byte[] Bytes(int field) => _messages.FirstOrDefault(message => message.Field == field).Bytes ?? [];

    public string Text(int field) => System.Text.Encoding.UTF8.GetString(Bytes(field));

    public string Hex(int field) => Convert.ToHexStringLower(Bytes(field));

    public ulong Number(int field) => _numbers.GetValueOrDefault(field);

    public bool Has(int field) => _numbers.ContainsKey(field) || _messages.Any(message => message.Field == field);
}
