using ClipSae.Coordinator;
using ClipSae.Hosting.Bus;
using ClipSae.Hosting.Service;
using ClipSae.Hosting.Settings;
using ClipSae.Pipeline.Runs;
using ClipSae.Servers;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace ClipSae.Distributed;

public sealed class UnitActivityTests(DistributedSystem system)
{
    [Fact]
    public async Task A_unit_that_no_queue_holds_is_heard_at_work()
    {
        using var client = await system.StartLongTuningAsync();
        var run = await DistributedSystem.RunOfAsync(client);
        await DistributedSystem.LogsAsync(system.Process(ParameterSections.Tuning), $"{run}: fine-tuning/", 1);
        await using var runtime = DistributedRuntime.Create(
            new ClipSaeOptions
            {
                Bus = "rabbitmq",
                Store = "s3",
                DataFolder = system.Data,
                Broker = new BrokerOptions
                {
                    Port = system.Broker.Port,
                    User = Broker.Coordinator,
                    PasswordFile = system.Broker.PasswordFile(Broker.Coordinator),
                    DeliveryLimit = DistributedSystem.DeliveryLimit,
                },
                S3 = new ObjectStorage.ObjectStorageOptions
                {
                    Endpoint = system.Objects.Endpoint,
                    AccessKey = system.Objects.AccessKey,
                    SecretKey = system.Objects.SecretKey,
                },
            },
            _ => { }
        );
        await runtime.ConnectAsync();
        var topology = runtime.Services.GetRequiredService<BrokerTopology>();
        var state = await runtime.StateAsync(run);

        (await topology.HasWaitingAsync(BrokerTopology.QueuesOf("fine-tuning"), default)).ShouldBeFalse();
        (
            await new UnitActivity(
                runtime.Services.GetRequiredService<IBus>(),
                topology,
                runtime.Services.GetRequiredService<TemporaryNames>(),
                TimeProvider.System
            ).AnyAsync(run, state, default)
        ).ShouldBeTrue();

        (await system.ClientAsync("cancel", run)).Code.ShouldBe(0);
        var ended = await client.EndAsync();
        ended.Error.ShouldContain("was cancelled", customMessage: ended.Error);
    }
}
