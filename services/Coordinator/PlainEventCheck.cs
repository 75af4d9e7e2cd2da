using System.Text.Json;
using ClipSae.Contracts;
using MassTransit;

namespace ClipSae.Coordinator;

/// <summary>Reads an event that came as plain JSON strictly, so that its sender is told which field is wrong; left to itself a misspelt one would be passed over.</summary>
internal sealed class PlainEventCheck : IFilter<ReceiveContext>
{
    public Task Send(ReceiveContext context, IPipe<ReceiveContext> next)
    {
        // Messages of MassTransit programs have an envelope and a content type of their own.
        if (context.ContentType is null or { MediaType: "application/json" })
        {
            Require(context.Body.GetBytes());
        }

        return next.Send(context);
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("plain-event-check");

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
}
