using ClipSae.Contracts;
using ClipSae.Coordinator;
using ClipSae.Hosting;
using ClipSae.Pipeline;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ClipSae.Cli;

/// <summary>The embedded runtime with every stage, in the session's data folder.</summary>
internal static class Workplace
{
    public static EmbeddedRuntime Open(Session session)
    {
        session.UseDevice();
        return EmbeddedRuntime.Create(new ClipSaeOptions { DataFolder = session.DataFolder }, services =>
        {
            services.AddSingleton(session.Time);
            services.AddLogging(logging => logging
                .SetMinimumLevel(session.Verbose ? LogLevel.Information : LogLevel.Warning)
                .AddProvider(new LineLoggerProvider(session)));
            services.AddCoordinator();
            StageCatalogue.AddTo(services);
        });
    }

    /// <summary>The full name of a run that the user named: whole, by a part that only it has, or <c>latest</c>.</summary>
    /// <exception cref="WrongUseException">No run or several have such a name.</exception>
    public static async Task<string> FindRunAsync(EmbeddedRuntime runtime, string given, CancellationToken cancel)
    {
        var known = await runtime.Events.ListRunsAsync(cancel);
        if (given == "latest" && known.Count > 0)
        {
            return known[^1];
        }

        var matching = known.Contains(given, StringComparer.Ordinal) ? [given] : known.Where(run => run.Contains(given, StringComparison.Ordinal)).ToArray();
        return matching.Length switch
        {
            1 => matching[0],
            0 when known.Count == 0 => throw new WrongUseException($"there is no run {given}: the data folder has none yet; 'clipsae demo' makes one"),
            0 => throw new WrongUseException($"there is no run {given}; {NearMatches.Describe(given, known.TakeLast(20))}"),
            _ => throw new WrongUseException($"{given} is part of the names of {matching.Length} runs: {string.Join(", ", matching.Take(5))}"),
        };
    }

    /// <summary>Runs what checks what the user typed; what it finds amiss is wrong use.</summary>
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
