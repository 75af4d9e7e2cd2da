using System.Globalization;
using ClipSae.Pipeline.Runs;
using ClipSae.TestKit.Sources;

namespace ClipSae.Deployment.Tests;

public class BrokerConfigurationTests
{
    private static readonly TimeSpan MaxStage = TimeSpan.FromHours(12);

    // RabbitMQ's default is half an hour: an hour-long unit would be taken away from its worker until it is set aside.
    [Theory]
    [InlineData("rabbitmq.conf")]
    [InlineData("local.conf")]
    public void A_worker_may_hold_a_unit_for_hours(string file) =>
        TimeSpan.FromMilliseconds(Number(file, "consumer_timeout")).ShouldBeGreaterThanOrEqualTo(MaxStage);

    [Fact]
    public void Messages_are_limited_alike_everywhere() =>
        Number("local.conf", "max_message_size").ShouldBe(Number("rabbitmq.conf", "max_message_size"));

    // The broker gives rights by names: a stage that is missing there could be taken up by no worker.
    [Fact]
    public void Workers_may_take_the_units_of_every_stage() =>
        File.ReadLines(Path.Combine(Solution.Root, "infra", "rabbitmq", "users.sh"))
            .Single(line => line.StartsWith("stage=", StringComparison.Ordinal))
            .ShouldBe($"stage='({string.Join('|', ParameterSections.All.Select(pair => pair.Stage))})(-interactive|-checks)?'");

    private static long Number(string file, string setting) =>
        long.Parse(
            File.ReadLines(Path.Combine(Solution.Root, "infra", "rabbitmq", file))
                .Single(line => line.StartsWith(setting + " =", StringComparison.Ordinal))
                .Split('=')[1],
            CultureInfo.InvariantCulture
        );
}
