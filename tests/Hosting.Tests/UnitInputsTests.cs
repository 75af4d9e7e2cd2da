using System.Globalization;
using System.Text.Json;
using ClipSae.Hosting.Service;
using ClipSae.Hosting.Settings;
using ClipSae.Hosting.Worker;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;
using ClipSae.Servers;
using ClipSae.TestKit.Pipelines;
using MassTransit.Context;
using MassTransit.Serialization;
using Microsoft.Extensions.DependencyInjection;

namespace ClipSae.Hosting.Tests;

public sealed class UnitInputsTests : IDisposable
{
    private readonly FakePipeline _pipeline = new();

    public void Dispose() => _pipeline.Dispose();

    [Fact]
    public async Task A_stage_over_more_units_than_a_message_carries_sees_them_all_in_order()
    {
        const int Units = UnitInputs.MaxInMessage + 1;
        var seen = Array.Empty<string>();
        _pipeline.Third.Act = (context, _) =>
        {
            seen = [.. context.Inputs.Keys];
            return Task.CompletedTask;
        };
        await using var runtime = _pipeline.Start();

        var state = await FakePipeline.RunAsync(runtime, FakePipeline.TolerantPlan(0, Units));

        state.Status.ShouldBe(RunStatus.Completed);
        seen.ShouldBe(Enumerable.Range(0, Units).Select(unit => $"texts/u{unit:D5}"));
    }

    [Fact]
    public async Task A_command_over_ten_thousand_shards_is_a_small_message_and_comes_back_as_it_was()
    {
        await using var runtime = _pipeline.Start();
        var sut = runtime.Services.GetRequiredService<UnitInputs>();
        var command = new RunUnit("run", "third", "all", [], Inputs(10_000), Origin: "origin");

        var sent = await sut.PackAsync(command, default);
        var received = await sut.UnpackAsync((RunUnit)sent, default);

        Size(command).ShouldBeGreaterThan(2_000_000);
        Size((RunUnit)sent).ShouldBeLessThan(10_000);
        JsonSerializer.Serialize(received, ContractJson.Options).ShouldBe(JsonSerializer.Serialize(command, ContractJson.Options));
    }

    [Fact]
    public void The_event_of_the_most_inputs_fits_the_brokers_limit_together_with_its_plan()
    {
        var inputs = Inputs(DatasetReady.MaxInputs);
        var plan = new RunPlan([
            new StagePlan(
                "embedding-extraction",
                [],
                [.. inputs.Keys.Select(name => new UnitPlan(name.Split('/')[1], [], [new InputSelector("shard", name)]))],
                []
            ),
        ]);
        var limit = int.Parse(
            File.ReadLines(SolutionFolder.At("infra", "rabbitmq", "rabbitmq.conf"))
                .Single(line => line.StartsWith("max_message_size =", StringComparison.Ordinal))
                .Split('=')[1],
            CultureInfo.InvariantCulture
        );

        Size(new DatasetReady(new RunSpec(inputs, []), "run", plan: plan)).ShouldBeLessThan(limit);
    }

    [Fact]
    public async Task A_run_of_more_inputs_is_refused_before_it_is_sent()
    {
        var options = new ClipSaeOptions
        {
            Bus = "rabbitmq",
            DataFolder = _pipeline.Folder,
            Broker = new BrokerOptions { User = "clipsae", Password = "none" },
        };
        await using var runtime = DistributedRuntime.Create(options, services => services.AddSingleton<IStage>(_pipeline.First));

        var error = Should.Throw<UserErrorException>(() =>
            runtime.Message(new RunSpec(Inputs(DatasetReady.MaxInputs + 1), []), FakePipeline.Plan())
        );

        error.Message.ShouldBe("the run has 100001 inputs; at most 100000 are allowed: use fewer and larger shards");
    }

    private static SortedDictionary<string, ArtifactRef> Inputs(int count) =>
        new(
            Enumerable
                .Range(0, count)
                .ToDictionary(
                    shard => $"dataset:shards/{shard:D6}",
                    shard => new ArtifactRef(
                        "sha256:" + shard.ToString("x64", CultureInfo.InvariantCulture),
                        268_435_456,
                        "application/x-tar",
                        $"dataset-{shard:D6}.tar"
                    )
                ),
            StringComparer.Ordinal
        );

    private static int Size<T>(T message)
        where T : class => new SystemTextJsonMessageSerializer().GetMessageBody(new MessageSendContext<T>(message)).GetBytes().Length;
}
