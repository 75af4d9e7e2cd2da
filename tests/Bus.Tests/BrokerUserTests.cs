using System.Text;
using ClipSae.Artifacts;
using ClipSae.Pipeline.Runs;
using ClipSae.Servers;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace ClipSae.Bus.Tests;

/// <summary>
/// What the users of infra/rabbitmq/users.sh may do on the real broker, each in its part: coordinator, worker and submitter.
/// </summary>
public sealed class BrokerUserTests(PartedFleet fleet) : IClassFixture<PartedFleet>
{
    private const string Fact =
        """{"messageType":["urn:message:ClipSae.Contracts:Reported[[ClipSae.Contracts:UnitFinished]]"],"message":{}}""";

    [Fact]
    public async Task A_submitter_begins_watches_and_cancels_runs_and_finds_workers()
    {
        await using var client = fleet.Client();
        var run = await client.SubmitAsync(await fleet.RequestAsync(), PartedFleet.Plan(1));
        (await client.WaitAsync(run)).Status.ShouldBe(RunStatus.Completed);
        (await client.WorkersAsync()).ShouldHaveSingleItem().Stages.Keys.ShouldBe(["report"]);
        (await client.StagesWithoutWorkerAsync()).ShouldNotContain("report");

        var begun = fleet.Stage.WorksWithoutEnd();
        var cancelled = await client.SubmitAsync(await fleet.RequestAsync(), PartedFleet.Plan(2));
        await begun.WaitAsync(TimeSpan.FromSeconds(30));
        (await client.CancelAsync(cancelled)).ShouldBeTrue();
        (await client.WaitAsync(cancelled)).Status.ShouldBe(RunStatus.Cancelled);
    }

    [Fact]
    public async Task A_refused_event_is_told_its_submitter_at_once_with_its_reason()
    {
        await using var client = fleet.Client();
        await client.ConnectAsync();
        var since = TimeProvider.System.GetTimestamp();
        var missing = new Dictionary<string, ArtifactRef> { ["data"] = new(Digest.OfText("nowhere"), 7, "x/y", "data") };

        var refused = await Should.ThrowAsync<UserErrorException>(client.SubmitAsync(new RunSpec(missing, [], 1), PartedFleet.Plan(1)));

        refused.Message.ShouldStartWith(
            "the coordinator refuses the run: dataset-ready: inputs['data'].digest: the store has no content of sha256:"
        );
        TimeProvider.System.GetElapsedTime(since).ShouldBeLessThan(TimeSpan.FromSeconds(20), "it waits 60 s for a coordinator");
    }

    [Theory]
    [InlineData(Broker.Submitter, "to-coordinator", "a fact")]
    [InlineData(Broker.Submitter, "coordinator", "a fact")]
    [InlineData(Broker.Submitter, "", "a fact by the default exchange")]
    [InlineData(Broker.Submitter, "to-report", "a unit")]
    [InlineData(Broker.Submitter, "report-interactive", "a unit")]
    [InlineData(Broker.Submitter, "to-dead-units", "a unit that killed its workers")]
    [InlineData(Broker.Submitter, "ClipSae.Contracts:StopRun", "that a run stops")]
    [InlineData(Broker.Worker, "to-dataset-ready", "an event")]
    [InlineData(Broker.Worker, "ClipSae.Contracts:DatasetReady", "an event")]
    [InlineData(Broker.Worker, "to-requests", "that a run is to be cancelled")]
    [InlineData(Broker.Worker, "", "anything by the default exchange")]
    public async Task What_is_not_its_part_to_say_the_broker_refuses(string user, string exchange, string what) =>
        await ShouldBeRefusedAsync(user, what, async channel =>
            await channel.BasicPublishAsync(exchange, "coordinator", mandatory: false, new BasicProperties(), Encoding.UTF8.GetBytes(Fact))
        );

    [Theory]
    [InlineData(Broker.Submitter, "coordinator")]
    [InlineData(Broker.Submitter, "report")]
    [InlineData(Broker.Submitter, "dataset-ready")]
    [InlineData(Broker.Submitter, "dead-letters")]
    [InlineData(Broker.Worker, "coordinator")]
    [InlineData(Broker.Worker, "dataset-ready")]
    [InlineData(Broker.Worker, "requests")]
    public async Task What_others_have_sent_it_can_neither_read_nor_remove(string user, string queue)
    {
        await ShouldBeRefusedAsync(user, "reading", async channel => await channel.BasicGetAsync(queue, autoAck: false));
        await ShouldBeRefusedAsync(user, "emptying", async channel => await channel.QueuePurgeAsync(queue));
        await ShouldBeRefusedAsync(user, "removing", async channel => await channel.QueueDeleteAsync(queue));
    }

    [Fact]
    public async Task A_submitter_leads_no_queue_of_its_own_to_the_coordinator()
    {
        await ShouldBeRefusedAsync(Broker.Submitter, "dead letters", async channel =>
            await channel.QueueDeclareAsync(
                "client-trap",
                exclusive: true,
                arguments: new Dictionary<string, object?> { ["x-dead-letter-exchange"] = "to-coordinator" }
            )
        );
        await ShouldBeRefusedAsync(Broker.Submitter, "an alternate exchange", async channel =>
            await channel.ExchangeDeclareAsync(
                "client-trap",
                ExchangeType.Fanout,
                autoDelete: true,
                arguments: new Dictionary<string, object?> { ["alternate-exchange"] = "to-coordinator" }
            )
        );
        await ShouldBeRefusedAsync(Broker.Submitter, "a binding", async channel =>
            await channel.ExchangeBindAsync("to-coordinator", "ClipSae.Contracts:UnitProgress", "")
        );
    }

    private static async Task<IChannel> ChannelAsync(IConnection connection) =>
        await connection.CreateChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true)
        );

    private async Task ShouldBeRefusedAsync(string user, string what, Func<IChannel, Task> act)
    {
        await using var connection = await fleet.ConnectAsync(user);
        await using var channel = await ChannelAsync(connection);

        var refused = await Should.ThrowAsync<Exception>(act(channel), what);

        var reason = (refused as OperationInterruptedException)?.ShutdownReason ?? channel.CloseReason;
        reason.ShouldNotBeNull($"{what}: {refused.Message}");
        reason.ReplyText.ShouldStartWith("ACCESS_REFUSED", customMessage: what);
    }
}
