using System.Net.Mime;
using System.Text.Json;
using MassTransit;
using MassTransit.Configuration;

namespace ClipSae.Hosting.Bus;

/// <summary>
/// Reads the envelopes of MassTransit strictly before the bus reads them leniently: what has no body, another type, a value of another kind
/// or null where there must be none is refused with the field's name. Left to itself the bus would hand over a message with holes.
/// </summary>
/// <param name="read">What a message of these type names must be readable as; it throws <see cref="UserErrorException"/>.</param>
public sealed class StrictMessages(Action<IReadOnlyList<string>, JsonElement> read) : ISerializerFactory
{
    private const string Urn = "urn:message:";
    private readonly SystemTextJsonMessageSerializerFactory _lenient = new();

    public ContentType ContentType => _lenient.ContentType;

    /// <summary>The name of a message type on the bus, without its prefix: <c>ClipSae.Contracts:RunUnit</c>.</summary>
    public static string NameOf(Type message) => MessageUrn.ForTypeString(message)[Urn.Length..];

    /// <summary>
    /// Messages between ClipSae's own processes: one of the given types, with every field that it promises. Fields that a newer process
    /// added are passed over.
    /// </summary>
    public static StrictMessages Of(params Type[] messages)
    {
        var known = messages.ToDictionary(NameOf, StringComparer.Ordinal);
        return new StrictMessages(
            (names, message) =>
            {
                if (names.Select(known.GetValueOrDefault).FirstOrDefault(type => type is not null) is { } type)
                {
                    MessageFields.Read(message, type, MessageFields.BetweenProcesses, $"message {type.Name.Split('`')[0]}");
                }
            }
        );
    }

    public IMessageSerializer CreateSerializer() => _lenient.CreateSerializer();

    public IMessageDeserializer CreateDeserializer() => new StrictDeserializer(_lenient.CreateDeserializer(), Require);

    private void Require(byte[] body)
    {
        using var envelope = Parse(body);
        if (
            envelope.RootElement is not { ValueKind: JsonValueKind.Object } root
            || !root.TryGetProperty("messageType", out var types)
            || types.ValueKind != JsonValueKind.Array
            || !root.TryGetProperty("message", out var message)
        )
        {
            throw new UserErrorException("not a MassTransit envelope: expected an object with messageType and message");
        }

        read(
            [
                .. types
                    .EnumerateArray()
                    .Where(type => type.ValueKind == JsonValueKind.String)
                    .Select(type => type.GetString()!)
                    .Where(type => type.StartsWith(Urn, StringComparison.Ordinal))
                    .Select(type => type[Urn.Length..]),
            ],
            message
        );
    }

    private static JsonDocument Parse(byte[] body)
    {
        try
        {
            return JsonDocument.Parse(body);
        }
        catch (JsonException error)
        {
            // No inner exception: what the sender sees is the innermost message.
            throw new UserErrorException($"the message is not JSON ({MessageFields.Line(error)})");
        }
    }
}
