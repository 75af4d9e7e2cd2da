using MassTransit;

namespace ClipSae.Hosting.Bus;

/// <summary>
/// Where messages go that no consumer can read: invalid events to a queue of their own, since their sender may fix them, all others to the
/// dead letters.
/// </summary>
internal sealed class SetAsideNames : IErrorQueueNameFormatter, IDeadLetterQueueNameFormatter
{
    public string FormatErrorQueueName(string queueName) =>
        queueName == QueueNames.DatasetReady ? QueueNames.InvalidEvents : QueueNames.DeadLetters;

    public string FormatDeadLetterQueueName(string queueName) => FormatErrorQueueName(queueName);
}
