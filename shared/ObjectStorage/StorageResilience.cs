using Microsoft.Extensions.Logging;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace ClipSae.ObjectStorage;

/// <summary>How requests to the object store are repeated.</summary>
internal static class StorageResilience
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Break = TimeSpan.FromSeconds(2);

    /// <param name="options">The time-outs.</param>
    /// <param name="time">Clock.</param>
    /// <param name="log">Is informed of the first failure of a request that is repeated.</param>
    /// <param name="isReached">Whether the server has answered before: an outage passes, a wrong address does not.</param>
    public static ResiliencePipeline Create(ObjectStorageOptions options, TimeProvider time, ILogger log, Func<bool> isReached)
    {
        var start = time.GetTimestamp();
        var passing = new PredicateBuilder().Handle<Exception>(StorageErrors.MayPass);
        var builder = new ResiliencePipelineBuilder { TimeProvider = time };
        if (options.OutageTolerance > TimeSpan.Zero)
        {
            builder.AddRetry(
                new RetryStrategyOptions
                {
                    ShouldHandle = new PredicateBuilder().Handle<Exception>(error =>
                        StorageErrors.MayPass(error) && (isReached() || time.GetElapsedTime(start) < options.StartTimeout)
                    ),

                    // Doubling from the first delay to the longest takes six tries; from there the tolerance counts.
                    MaxRetryAttempts = 6 + (int)Math.Ceiling(options.OutageTolerance / MaxDelay),
                    Delay = FirstDelay,
                    MaxDelay = MaxDelay,
                    BackoffType = DelayBackoffType.Exponential,
                    UseJitter = true,
                    OnRetry = retried =>
                    {
                        if (retried.Outcome.Exception is not BrokenCircuitException)
                        {
                            // Once a request, since an outage of minutes would fill the log; a server that never answers is reported once
                            // it is given up.
                            log.Log(
                                retried.AttemptNumber == 0 && isReached() ? LogLevel.Warning : LogLevel.Debug,
                                "object store {Store}: {Problem}; trying again",
                                options,
                                UserErrorException.FirstLine(retried.Outcome.Exception!.Message)
                            );
                        }

                        return default;
                    },
                }
            );
        }

        return builder
            .AddCircuitBreaker(
                new CircuitBreakerStrategyOptions
                {
                    ShouldHandle = passing,
                    FailureRatio = 0.9,
                    MinimumThroughput = 10,
                    SamplingDuration = TimeSpan.FromSeconds(10),
                    BreakDuration = Break,
                }
            )
            .AddTimeout(new TimeoutStrategyOptions { Timeout = options.RequestTimeout })
            .Build();
    }
}
