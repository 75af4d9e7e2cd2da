using ClipSae.Cli.CommandLine;
using ClipSae.Coordinator;
using ClipSae.Hosting.Service;
using ClipSae.Hosting.Settings;
using ClipSae.Hosting.Worker;
using ClipSae.Pipeline.Stages;
using ClipSae.Service;
using ClipSae.Tensors;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ClipSae.Cli.Running;

/// <summary>The runtime that verbs work with, every stage known.</summary>
internal static class Workplace
{
    /// <summary>
    /// The distributed system that the environment names (<c>ClipSae__Bus=rabbitmq</c>), or everything in this process and the session's
    /// data folder.
    /// </summary>
    public static ClipSaeRuntime Open(Session session) =>
        Settings(session) is { IsDistributed: true } options ? OpenDistributed(session, options) : OpenHere(session);

    /// <summary>Everything in this process and the session's data folder.</summary>
    public static EmbeddedRuntime OpenHere(Session session)
    {
        // A stored run names its own device: the default must not decide for it which libtorch is loaded.
        if (session.NamesDevice || session.Threads is not null)
        {
            session.UseDevice();
        }

        WrongUseException.ThrowIf(session.Units is < 1, $"{GlobalOptions.Units.Name} {session.Units}: must be 1 or more");

        // Without a number, every card: a unit on each.
        var cards =
            session.Device == WorkerCards.Any
                ? Enumerable.Range(0, Compute.Cards).Select(index => $"{WorkerCards.Any}:{index}").ToArray()
                : [];
        return EmbeddedRuntime.Create(
            new ClipSaeOptions { DataFolder = session.DataFolder, UnitsAtOnce = session.Units ?? Math.Max(1, cards.Length) },
            services =>
            {
                services.AddSingleton(new WorkerCards(cards, Compute.Assign));
                AddDefaults(services, session);
                services.AddCoordinator();
            }
        );
    }

    /// <summary>The distributed system that the environment names.</summary>
    /// <exception cref="WrongUseException">It names none.</exception>
    public static DistributedRuntime OpenDistributed(Session session) =>
        Settings(session) is { IsDistributed: true } options
            ? OpenDistributed(session, options)
            : throw new WrongUseException(
                "no broker is configured: "
                    + "set ClipSae__Bus=rabbitmq and what the README's table names, or use 'clipsae run', which does everything itself"
            );

    private static DistributedRuntime OpenDistributed(Session session, ClipSaeOptions options) =>
        DistributedRuntime.Create(options, services => AddDefaults(services, session));

    // A person waits at the command, and a server that is not there at all will not come by itself.
    private static readonly TimeSpan ServersAnswerWithin = TimeSpan.FromSeconds(10);

    /// <summary>What the environment says.</summary>
    /// <exception cref="WrongUseException">It says what cannot be.</exception>
    public static ClipSaeOptions Settings(Session session)
    {
        try
        {
            var defaults = new ClipSaeOptions
            {
                Broker = new() { StartTimeout = ServersAnswerWithin },
                S3 = new() { StartTimeout = ServersAnswerWithin },
            };
            var options = ClipSaeSettings.Read(new ConfigurationBuilder().AddEnvironmentVariables().Build(), defaults) with
            {
                DataFolder = session.DataFolder,
            };
            options.Validate();
            return options;
        }
        catch (UserErrorException error)
        {
            throw new WrongUseException(error.Message, error);
        }
    }

    private static void AddDefaults(IServiceCollection services, Session session)
    {
        services.AddSingleton(session.Time);
        services.AddLogging(logging =>
            logging.SetMinimumLevel(session.Verbose ? LogLevel.Information : LogLevel.Warning).AddProvider(new LineLoggerProvider(session))
        );
        StageCatalogue.AddAll(services);
    }

    /// <summary>The full name of a run that the user named: whole, by a part that only it has, or <c>latest</c>.</summary>
    /// <exception cref="WrongUseException">No run or several have such a name.</exception>
    public static async Task<string> FindRunAsync(ClipSaeRuntime runtime, string given, CancellationToken cancel)
    {
        if (given == "latest" && await runtime.LatestRunAsync(cancel) is { } latest)
        {
            return latest;
        }

        var known = await runtime.Events.ListRunsAsync(cancel);
        var matching = known.Contains(given, StringComparer.Ordinal)
            ? [given]
            : known.Where(run => run.Contains(given, StringComparison.Ordinal)).ToArray();
        return matching.Length switch
        {
            1 => matching[0],
            0 when known.Count == 0 => throw new WrongUseException(
                $"there is no run {given}: the data folder has none yet; 'clipsae demo' creates one"
            ),
            0 => throw new WrongUseException($"there is no run {given}; {NearMatches.Describe(given, known.TakeLast(20))}"),
            _ => throw new WrongUseException(
                $"{given} is part of the names of {matching.Length} runs: {string.Join(", ", matching.Take(5))}"
            ),
        };
    }

    /// <summary>Runs what checks what the user typed; what it finds wrong is wrong use.</summary>
    public static async Task<T> CheckedAsync<T>(Func<Task<T>> check)
    {
        try
        {
            return await check();
        }
        catch (UserErrorException error)
        {
            throw new WrongUseException(error.Message, error);
        }
    }
}
