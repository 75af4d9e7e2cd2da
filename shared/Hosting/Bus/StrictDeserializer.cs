using System.Net.Mime;
using System.Runtime.Serialization;
using MassTransit;

namespace ClipSae.Hosting.Bus;

/// <summary>Holds the body of a message against a check before the bus reads it.</summary>
/// <param name="require">Throws <see cref="UserErrorException"/> where the body is not what it must be.</param>
public sealed class StrictDeserializer(IMessageDeserializer lenient, Action<byte[]> require) : IMessageDeserializer
{
    public ContentType ContentType => lenient.ContentType;

    public ConsumeContext Deserialize(ReceiveContext receiveContext)
    {
        try
        {
            require(receiveContext.Body.GetBytes());
        }
        catch (UserErrorException error)
        {
            // So that whoever consumes can distinguish it from what its own work refuses.
            throw new SerializationException(error.Message, error);
        }

        return lenient.Deserialize(receiveContext);
    }

    public SerializerContext Deserialize(MessageBody body, Headers headers, Uri? destinationAddress = null) =>
        lenient.Deserialize(body, headers, destinationAddress);

    public MessageBody GetMessageBody(string text) => lenient.GetMessageBody(text);

    public void Probe(ProbeContext context) => lenient.Probe(context);
}
