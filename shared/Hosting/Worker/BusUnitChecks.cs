using ClipSae.Hosting.Bus;
using MassTransit;
using Microsoft.Extensions.Logging;

namespace ClipSae.Hosting.Worker;

/// <summary>Asks over the bus; where no one listens it does not wait.</summary>
internal sealed class BusUnitChecks(IBus bus, BusAddresses addresses, ILogger<BusUnitChecks> log, BrokerTopology? topology = null)
    : IUnitChecks
{
    // A worker that computes answers while it works; it may have to fetch the weights first.
    private static readonly RequestTimeout MaxLength = RequestTimeout.After(s: 60);

    public async Task<UnitsChecked?> AskAsync(StagePlan stage, IReadOnlyDictionary<string, ArtifactRef> runInputs, CancellationToken cancel)
    {
        var queue = QueueNames.OfChecks(stage.Stage);
        if (topology is not null && (await topology.ConsumersAsync([queue], cancel))[queue] is null or 0)
        {
            return null;
        }

        var asked = new CheckUnits(
            stage.Stage,
            UnitChecksConsumer.UnitsOf(stage),
            runInputs.Where(input => !input.Key.Contains("shards/", StringComparison.Ordinal)).ToDictionary(StringComparer.Ordinal)
        );
        try
        {
            return (
                await bus.CreateRequestClient<CheckUnits>(addresses.Of(queue), MaxLength).GetResponse<UnitsChecked>(asked, cancel)
            ).Message;
        }
        catch (Exception error) when (error is RequestException)
        {
            log.LogWarning("units of {Stage} could not be checked: {Problem}", stage.Stage, error.Message);
            return null;
        }
    }
}
