using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ClipSae.Hosting.Settings;
using ClipSae.Pipeline.Runs;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace ClipSae.Hosting.Bus;

/// <summary>
/// The queues on the broker. The coordinator declares them, and others wait for that before they send anything: what is sent to an exchange
/// without a queue would be lost. Every queue is a quorum queue and has two durable fanout exchanges in front: one of its name, which the
/// bus makes for who receives, and its entrance, which is sent to.
/// </summary>
public sealed class BrokerTopology(BrokerOptions options)
{
    // A fact that cannot be stored is tried again and again: only what no coordinator can read ends in the dead letters.
    private const int FactDeliveries = 1000;
    private const int QuestionsKept = 60_000; // ms; who asked has then gone on without an answer
    private const int DeadLettersKept = 10_000;
    private const int NotAllowed = 403;
    private static readonly string Published = $"{typeof(DatasetReady).Namespace}:{nameof(DatasetReady)}";
    private readonly ConcurrentDictionary<string, Task> _declared = new(StringComparer.Ordinal);

    /// <summary>Arguments of a queue, the same wherever it is declared; RabbitMQ refuses a second declaration that differs.</summary>
    public IReadOnlyDictionary<string, object> Arguments(string queue) =>
        queue switch
        {
            QueueNames.DeadLetters => new Dictionary<string, object> { ["x-queue-type"] = "quorum", ["x-max-length"] = DeadLettersKept },
            QueueNames.DeadUnits or QueueNames.Coordinator or QueueNames.Requests or QueueNames.DatasetReady or QueueNames.InvalidEvents =>
                Quorum(FactDeliveries, QueueNames.DeadLetters),
            _ when QueueNames.IsOfChecks(queue) => new Dictionary<string, object>
            {
                ["x-queue-type"] = "quorum",
                ["x-message-ttl"] = QuestionsKept,
            },
            _ => Quorum(options.DeliveryLimit, QueueNames.DeadUnits),
        };

    /// <summary>
    /// Declares everything that every process counts on, and waits for a broker that is just starting: the coordinator's, who alone may.
    /// </summary>
    /// <exception cref="UserErrorException">The broker cannot be reached, refuses the user or has a queue of another kind; the message says
    /// which.</exception>
    public Task DeclareAsync(TimeProvider time, CancellationToken cancel) =>
        WaitingAsync(
            () =>
                DeclareOnceAsync(
                    [
                        QueueNames.DeadLetters,
                        QueueNames.InvalidEvents,
                        QueueNames.DeadUnits,
                        QueueNames.Coordinator,
                        QueueNames.Requests,
                        QueueNames.DatasetReady,
                        .. ParameterSections.All.SelectMany(pair => AllOf(pair.Stage)),
                    ],
                    cancel
                ),
            time,
            cancel
        );

    /// <summary>Waits until a coordinator has declared what every process counts on; declares nothing.</summary>
    /// <exception cref="UserErrorException">As <see cref="DeclareAsync"/>, or no coordinator has come.</exception>
    public async Task RequireDeclaredAsync(TimeProvider time, CancellationToken cancel)
    {
        await RequireReachableAsync(time, cancel);
        var start = time.GetTimestamp();
        while (!await IsDeclaredAsync(cancel))
        {
            UserErrorException.ThrowIf(
                time.GetElapsedTime(start) > options.StartTimeout,
                $"no coordinator has ever run at the broker {options}, which makes its queues: start one"
            );

            await Task.Delay(TimeSpan.FromSeconds(1), time, cancel);
        }
    }

    private async Task<bool> IsDeclaredAsync(CancellationToken cancel)
    {
        await using var connection = await CreateFactory().CreateConnectionAsync("clipsae-topology", cancel);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancel);
        try
        {
            await channel.ExchangeDeclarePassiveAsync(Published, cancel);
            await channel.ExchangeDeclarePassiveAsync(QueueNames.Entrance(QueueNames.DatasetReady), cancel);
            return true;
        }
        catch (OperationInterruptedException)
        {
            return false;
        }
    }

    /// <summary>Sees that the broker takes this user, and declares nothing.</summary>
    /// <exception cref="UserErrorException">As <see cref="DeclareAsync"/>.</exception>
    public Task RequireReachableAsync(TimeProvider time, CancellationToken cancel) =>
        WaitingAsync(async () => await (await CreateFactory().CreateConnectionAsync("clipsae-probe", cancel)).DisposeAsync(), time, cancel);

    private async Task WaitingAsync(Func<Task> ask, TimeProvider time, CancellationToken cancel)
    {
        var start = time.GetTimestamp();
        while (true)
        {
            try
            {
                await ask();
                return;
            }
            catch (BrokerUnreachableException error) when (Reason(error) is null && time.GetElapsedTime(start) < options.StartTimeout)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), time, cancel);
            }
            catch (Exception error) when (error is BrokerUnreachableException or OperationInterruptedException or IOException)
            {
                throw new UserErrorException(
                    Reason(error)
                        ?? $"the broker {options} cannot be reached ({FirstLine(error)}): "
                            + "is it running, and are ClipSae:Broker:Host and Port correct?",
                    error
                );
            }
        }
    }

    /// <summary>Declares the queues of a stage that this process hosts.</summary>
    /// <exception cref="UserErrorException">As <see cref="DeclareAsync"/>.</exception>
    public Task DeclareStageAsync(string stage, TimeProvider time, CancellationToken cancel) =>
        WaitingAsync(() => DeclareOnceAsync([.. AllOf(stage)], cancel), time, cancel);

    /// <summary>Declares the queues of a stage that is none of the pipeline's own, once.</summary>
    public async Task DeclareStageAsync(string stage, CancellationToken cancel)
    {
        if (ParameterSections.All.Any(pair => pair.Stage == stage))
        {
            return;
        }

        var declared = _declared.GetOrAdd(stage, name => DeclareOnceAsync([.. AllOf(name)], cancel));
        try
        {
            await declared;
        }
        catch
        {
            // What failed because the broker was away is tried again by whoever comes next.
            _declared.TryRemove(KeyValuePair.Create(stage, declared));
            throw;
        }
    }

    /// <summary>How many consumers each queue has; null for a queue that is not there.</summary>
    public async Task<IReadOnlyDictionary<string, long?>> ConsumersAsync(IEnumerable<string> queues, CancellationToken cancel)
    {
        await using var connection = await CreateFactory().CreateConnectionAsync("clipsae-topology", cancel);
        var consumers = new Dictionary<string, long?>(StringComparer.Ordinal);
        foreach (var queue in queues)
        {
            // The broker closes a channel that asks for what is not there.
            await using var channel = await connection.CreateChannelAsync(cancellationToken: cancel);
            try
            {
                consumers[queue] = await channel.ConsumerCountAsync(queue, cancel);
            }
            catch (OperationInterruptedException)
            {
                consumers[queue] = null;
            }
        }

        return consumers;
    }

    /// <summary>Whether a message waits in one of the queues for someone to take it; those that a worker holds do not count.</summary>
    public async Task<bool> HasWaitingAsync(IEnumerable<string> queues, CancellationToken cancel)
    {
        await using var connection = await CreateFactory().CreateConnectionAsync("clipsae-topology", cancel);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancel);
        foreach (var queue in queues)
        {
            if (await channel.MessageCountAsync(queue, cancel) > 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Both queues of a stage.</summary>
    public static IReadOnlyList<string> QueuesOf(string stage) => [QueueNames.OfStage(stage, false), QueueNames.OfStage(stage, true)];

    internal ConnectionFactory CreateFactory() =>
        new()
        {
            HostName = options.Host,
            Port = options.Port,
            VirtualHost = options.VirtualHost,
            UserName = options.User,
            Password = options.ReadPassword(),
            RequestedHeartbeat = options.Heartbeat,
            AutomaticRecoveryEnabled = false, // a connection that is lost is made anew by whoever needs it
            Ssl = options.Tls
                ? new SslOption(options.Host) { Enabled = true, CertificateValidationCallback = Validation() }
                : new SslOption(),
        };

    /// <summary>Accepts certificates of the given authority; null leaves it to the system.</summary>
    internal System.Net.Security.RemoteCertificateValidationCallback? Validation()
    {
        if (options.CertificateAuthorityFile is not { } file)
        {
            return null;
        }

        var authority = new X509Certificate2Collection();
        try
        {
            authority.ImportFromPemFile(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new UserErrorException($"ClipSae:Broker:CertificateAuthorityFile: cannot read {file} ({FirstLine(error)})", error);
        }

        return (_, certificate, chain, problems) =>
        {
            if (certificate is null || chain is null || problems.HasFlag(System.Net.Security.SslPolicyErrors.RemoteCertificateNameMismatch))
            {
                return false;
            }

            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            chain.ChainPolicy.CustomTrustStore.AddRange(authority);
            using var own = new X509Certificate2(certificate);
            return chain.Build(own);
        };
    }

    /// <summary>All queues of a stage.</summary>
    private static IEnumerable<string> AllOf(string stage) => [.. QueuesOf(stage), QueueNames.OfChecks(stage)];

    private async Task DeclareOnceAsync(IReadOnlyList<string> queues, CancellationToken cancel)
    {
        await using var connection = await CreateFactory().CreateConnectionAsync("clipsae-topology", cancel);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancel);
        foreach (var queue in queues)
        {
            await channel.ExchangeDeclareAsync(queue, ExchangeType.Fanout, durable: true, autoDelete: false, cancellationToken: cancel);
            await channel.QueueDeclareAsync(
                queue,
                durable: true,
                exclusive: false,
                autoDelete: false,
                Arguments(queue).ToDictionary(pair => pair.Key, pair => (object?)pair.Value),
                cancellationToken: cancel
            );
            await channel.QueueBindAsync(queue, queue, "", cancellationToken: cancel);
            await channel.ExchangeDeclareAsync(
                QueueNames.Entrance(queue),
                ExchangeType.Fanout,
                durable: true,
                autoDelete: false,
                cancellationToken: cancel
            );
            await channel.QueueBindAsync(queue, QueueNames.Entrance(queue), "", cancellationToken: cancel);
        }

        if (queues.Contains(QueueNames.DatasetReady))
        {
            // A copy of what kills its worker is kept, whether the broker counts its deaths or a worker, which sends it to the entrance.
            // And the event has the exchange that publishers of the message type use.
            await channel.ExchangeBindAsync(QueueNames.DeadLetters, QueueNames.DeadUnits, "", cancellationToken: cancel);
            await channel.ExchangeBindAsync(
                QueueNames.DeadLetters,
                QueueNames.Entrance(QueueNames.DeadUnits),
                "",
                cancellationToken: cancel
            );
            await channel.ExchangeDeclareAsync(Published, ExchangeType.Fanout, durable: true, autoDelete: false, cancellationToken: cancel);
            await channel.ExchangeBindAsync(QueueNames.DatasetReady, Published, "", cancellationToken: cancel);
        }
    }

    private static Dictionary<string, object> Quorum(int deliveries, string deadLetters) =>
        new()
        {
            ["x-queue-type"] = "quorum",
            ["x-delivery-limit"] = deliveries,
            ["x-dead-letter-exchange"] = deadLetters,
            ["x-dead-letter-strategy"] = "at-least-once",
            ["x-overflow"] = "reject-publish",
        };

    /// <summary>What no waiting fixes; null for the rest.</summary>
    private string? Reason(Exception error)
    {
        for (var inner = error; inner is not null; inner = inner.InnerException)
        {
            switch (inner)
            {
                case AuthenticationFailureException or PossibleAuthenticationFailureException:
                    return $"the broker {options} refuses user {options.User}: check ClipSae:Broker:User and Password";
                case System.Security.Authentication.AuthenticationException:
                    return $"no encrypted connection to the broker {options} ({FirstLine(inner)}): "
                        + "check ClipSae:Broker:Tls and CertificateAuthorityFile";
                case OperationInterruptedException { ShutdownReason: { ReplyCode: NotAllowed } reason }:
                    return $"the broker {options} refuses user {options.User} ({reason.ReplyText}): "
                        + "infra/rabbitmq/users.sh lists the user of each process";
                case OperationInterruptedException { ShutdownReason: { } reason }:
                    return $"the broker {options} refused: {reason.ReplyText}; "
                        + "a queue declared before with other arguments must be removed first";
            }
        }

        return null;
    }

    private static string FirstLine(Exception error)
    {
        var inner = error.InnerException ?? error;
        return UserErrorException.FirstLine((inner is AggregateException several ? several.InnerExceptions[0] : inner).Message);
    }
}
