using System.Collections.Concurrent;
using ClipSae.TestKit.Pipelines;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using static ClipSae.TestKit.Pipelines.FakePipeline;

namespace ClipSae.Hosting.Tests;

public sealed class StageWorkerTests : IDisposable
{
    private readonly FakePipeline _pipeline = new();

    public void Dispose() => _pipeline.Dispose();

    [Fact]
    public async Task A_result_that_cannot_be_told_gives_its_delivery_back_and_is_no_failure_of_the_unit()
    {
        await using var runtime = _pipeline.Start();
        await runtime.ConnectAsync();
        var bus = runtime.Services.GetRequiredService<IBus>();
        var outcomes = new Outcomes();
        bus.ConnectConsumeObserver(outcomes);
        var broker = new LosingTheBroker();
        bus.ConnectSendObserver(broker);

        var run = await runtime.SubmitAsync(await RequestAsync(runtime), Plan(units: 1));

        (await outcomes.FirstUnit.WaitAsync(TimeSpan.FromMinutes(1))).ShouldBeOfType<TimeoutException>();
        broker.Reports.ShouldBe([typeof(Reported<UnitFinished>)]);
        (await runtime.ReadEventsAsync(run)).ShouldNotContain(stored => stored.Event is UnitFact);
    }

    /// <summary>How the first unit's delivery ended: with an error it goes back to the broker.</summary>
    private sealed class Outcomes : IConsumeObserver
    {
        private readonly TaskCompletionSource<Exception?> _first = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<Exception?> FirstUnit => _first.Task;

        public Task PreConsume<T>(ConsumeContext<T> context)
            where T : class => Task.CompletedTask;

        public Task PostConsume<T>(ConsumeContext<T> context)
            where T : class => Told<T>(null);

        public Task ConsumeFault<T>(ConsumeContext<T> context, Exception exception)
            where T : class => Told<T>(exception);

        private Task Told<T>(Exception? error)
        {
            if (typeof(T) == typeof(RunUnit))
            {
                _first.TrySetResult(error);
            }

            return Task.CompletedTask;
        }
    }

    /// <summary>The broker goes away as the result is told, and is back for whatever comes next.</summary>
    private sealed class LosingTheBroker : ISendObserver
    {
        private int _lost;

        /// <summary>What was to be told, the lost one included.</summary>
        public ConcurrentQueue<Type> Reports { get; } = [];

        public Task PreSend<T>(SendContext<T> context)
            where T : class
        {
            if (typeof(T).IsGenericType && typeof(T).GetGenericTypeDefinition() == typeof(Reported<>))
            {
                Reports.Enqueue(typeof(T));
            }

            return typeof(T) == typeof(Reported<UnitFinished>) && Interlocked.Exchange(ref _lost, 1) == 0
                ? throw new TimeoutException("the broker is away")
                : Task.CompletedTask;
        }

        public Task PostSend<T>(SendContext<T> context)
            where T : class => Task.CompletedTask;

        public Task SendFault<T>(SendContext<T> context, Exception exception)
            where T : class => Task.CompletedTask;
    }
}
