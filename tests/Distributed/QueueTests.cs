using ClipSae.Pipeline.Runs;

namespace ClipSae.Distributed;

public sealed class QueueTests(DistributedSystem system)
{
    [Fact]
    public async Task Every_queue_of_a_stage_is_a_quorum_queue_with_a_delivery_limit_and_its_dead_letters_are_kept()
    {
        var queues = (await system.Broker.QueuesAsync()).ToDictionary(queue => queue!["name"]!.GetValue<string>());

        foreach (var stage in ParameterSections.All.Select(pair => pair.Stage))
        {
            foreach (
                var name in (string[])[QueueNames.OfStage(stage, isInteractive: false), QueueNames.OfStage(stage, isInteractive: true)]
            )
            {
                var arguments = queues[name]!["arguments"]!;
                arguments["x-queue-type"]!.GetValue<string>().ShouldBe("quorum", name);
                arguments["x-delivery-limit"]!.GetValue<int>().ShouldBe(DistributedSystem.DeliveryLimit, name);
                arguments["x-dead-letter-exchange"]!.GetValue<string>().ShouldBe(QueueNames.DeadUnits, name);
                queues[name]!["durable"]!.GetValue<bool>().ShouldBeTrue(name);
            }
        }

        queues[QueueNames.DeadLetters]!["arguments"]!["x-max-length"]!.GetValue<int>().ShouldBe(10_000);
    }

    [Fact]
    public async Task A_worker_is_handed_one_unit_at_a_time()
    {
        foreach (var stage in ParameterSections.All.Select(pair => pair.Stage))
        {
            var expected = system.Processes.Count(process => process.Service == stage);
            foreach (
                var queue in (string[])[QueueNames.OfStage(stage, isInteractive: false), QueueNames.OfStage(stage, isInteractive: true)]
            )
            {
                var workers = await WorkersAsync(queue);
                for (var look = 0; look < 300 && workers.Length != expected; look++)
                {
                    // One that an earlier test has started again may still be connecting.
                    await Task.Delay(100);
                    workers = await WorkersAsync(queue);
                }

                workers.Length.ShouldBe(expected, queue);
                workers.ShouldAllBe(worker => worker.Prefetch == 1 && worker.Acknowledges);
            }
        }
    }

    private async Task<(int Prefetch, bool Acknowledges)[]> WorkersAsync(string queue) =>
        [
            .. (await system.Broker.ConsumersAsync())
                .Where(consumer => consumer!["queue"]!["name"]!.GetValue<string>() == queue)
                .Select(consumer => (consumer!["prefetch_count"]!.GetValue<int>(), consumer["ack_required"]!.GetValue<bool>())),
        ];
}
