using ClipSae.Servers;

[assembly: AssemblyFixture(typeof(ClipSae.Bus.Tests.SharedBroker))]
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace ClipSae.Bus.Tests;

/// <summary>One real broker for all tests of the project.</summary>
public sealed class SharedBroker : IAsyncLifetime
{
    public Broker Broker { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Broker = await Broker.StartAsync();

    public ValueTask DisposeAsync() => Broker.DisposeAsync();
}
