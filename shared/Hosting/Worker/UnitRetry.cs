using System.Net.Sockets;
using ClipSae.Artifacts;
using ClipSae.Hosting.Settings;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;

namespace ClipSae.Hosting.Worker;

/// <summary>
/// Tries a unit again when it failed for a reason that may pass. What a user must fix, and defects, are not tried again.
/// </summary>
public sealed class UnitRetry(ClipSaeOptions options, TimeProvider time, ILogger<UnitRetry> log)
{
    /// <summary>Whether an error may pass by itself.</summary>
    public static bool MayPass(Exception error) =>
        error switch
        {
            UserErrorException or FileNotFoundException or DirectoryNotFoundException => false,
            IOException => !DiskErrors.IsLasting(error),
            TimeoutException or SocketException or HttpRequestException => true,
            _ => false,
        };

    /// <summary>Runs the unit with its retries.</summary>
    /// <param name="unit">Named in the log.</param>
    /// <param name="run">One attempt, with its number, from 1.</param>
    public async Task<UnitFinished> RunAsync(RunUnit unit, Func<int, Task<UnitFinished>> run, CancellationToken cancel)
    {
        if (options.Attempts == 1)
        {
            return await run(1);
        }

        var attempt = 0;
        var pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(
                new RetryStrategyOptions
                {
                    ShouldHandle = new PredicateBuilder().Handle<Exception>(MayPass),
                    MaxRetryAttempts = options.Attempts - 1,
                    Delay = options.RetryDelay,
                    BackoffType = DelayBackoffType.Exponential,
                    OnRetry = retried =>
                    {
                        log.LogWarning(
                            retried.Outcome.Exception,
                            "{Stage}/{Unit}: attempt {Attempt} failed, trying again: {Reason}",
                            unit.Stage,
                            unit.Unit,
                            retried.AttemptNumber + 1,
                            retried.Outcome.Exception?.Message
                        );
                        return default;
                    },
                }
            )
            .Build();
        return await pipeline.ExecuteAsync(async _ => await run(++attempt), cancel);
    }
}
