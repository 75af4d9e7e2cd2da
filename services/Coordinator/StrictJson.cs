using System.Net.Mime;
using System.Text.Json;
using ClipSae.Hosting.Bus;
using MassTransit;

namespace ClipSae.Coordinator;

/// <summary>
/// Reads an event that came as plain JSON strictly before the bus reads it leniently, so that its sender is informed which field is
/// wrong; left to itself a misspelt one would be passed over.
/// </summary>
internal sealed class StrictJson(ISerializerFactory lenient) : ISerializerFactory
{
    private const string What = "dataset-ready";

    /// <summary>The same of events in the envelopes of MassTransit programs.</summary>
    public static StrictMessages Envelopes { get; } =
        new(
            (names, message) =>
            {
                UserErrorException.ThrowIf(
                    !names.Contains(StrictMessages.NameOf(typeof(DatasetReady)), StringComparer.Ordinal),
                    $"{What}: messageType names {(names.Count == 0 ? "nothing" : string.Join(", ", names))}: "
                        + $"expected urn:message:{StrictMessages.NameOf(typeof(DatasetReady))}"
                );

                Require(message);
            }
        );

    public ContentType ContentType => lenient.ContentType;

    public IMessageSerializer CreateSerializer() => lenient.CreateSerializer();

    public IMessageDeserializer CreateDeserializer() => new StrictDeserializer(lenient.CreateDeserializer(), Require);

    private static void Require(byte[] body)
    {
        JsonDocument message;
        try
        {
            message = JsonDocument.Parse(body);
        }
        catch (JsonException error)
        {
            throw new UserErrorException($"{What}: not a valid event: not JSON ({MessageFields.Line(error)})");
        }

        using (message)
        {
            Require(message.RootElement);
        }
    }

    private static void Require(JsonElement message) => MessageFields.Read(message, typeof(DatasetReady), MessageFields.FromOutside, What);
}
