using System.Net.Mime;
using System.Text.Json;
using ClipSae.Contracts;
using MassTransit;

namespace ClipSae.Coordinator;

/// <summary>
/// Reads an event that came as plain JSON strictly before the bus reads it leniently, so that its sender is told which field is
/// wrong; left to itself a misspelt one would be passed over.
/// </summary>
internal sealed class StrictJson(ISerializerFactory lenient) : ISerializerFactory
{
    public ContentType ContentType => lenient.ContentType;

    public IMessageSerializer CreateSerializer() => lenient.CreateSerializer();

    public IMessageDeserializer CreateDeserializer() => new Deserializer(lenient.CreateDeserializer());

    private static void Require(byte[] body)
    {
        try
        {
            _ = JsonSerializer.Deserialize<DatasetReady>(body, ContractJson.Options) ?? throw new JsonException("expected an object");
        }
        catch (JsonException error)
        {
            // No inner exception: what the sender is told is the innermost message.
            var field = error.Path is null or "$" ? "" : $" at {error.Path[2..]}";
            throw new UserErrorException($"dataset-ready: no valid event{field}: {error.Message.Split('\n')[0]}");
        }
    }

    private sealed class Deserializer(IMessageDeserializer lenient) : IMessageDeserializer
    {
        public ContentType ContentType => lenient.ContentType;

        public ConsumeContext Deserialize(ReceiveContext receiveContext)
        {
            Require(receiveContext.Body.GetBytes());
            return lenient.Deserialize(receiveContext);
        }

        public SerializerContext Deserialize(MessageBody body, Headers headers, Uri? destinationAddress = null) => lenient.Deserialize(body, headers, destinationAddress);

        public MessageBody GetMessageBody(string text) => lenient.GetMessageBody(text);

        public void Probe(ProbeContext context) => lenient.Probe(context);
    }
}
