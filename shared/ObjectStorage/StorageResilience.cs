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
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Break = TimeSpan.FromSeconds(2);

    public static ResiliencePipeline Create(ObjectStorageOptions options, TimeProvider time, ILogger log)
    {
        var passing = new PredicateBuilder().Handle<Exception>(StorageErrors.MayPass);
        var builder = new ResiliencePipelineBuilder { TimeProvider = time };
        if (options.OutageTolerance > TimeSpan.Zero)
        {
            builder.AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = passing,
                // Doubling from the first delay to the longest takes six tries; from there the tolerance counts.
                MaxRetryAttempts = 6 + (int)Math.Ceiling(options.OutageTolerance / LongestDelay),
                Delay = FirstDelay,
                MaxDelay = LongestDelay,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                OnRetry = retried =>
                {
                    if (retried.Outcome.Exception is not BrokenCircuitException)
                    {
                        log.LogWarning("object store {Store}: {Problem}; trying again in {Delay:0.0} s", options, StorageErrors.FirstLine(retried.Outcome.Exception!.Message), retried.RetryDelay.TotalSeconds);
                    }

                    return default;
                },
            });
        }

        return builder
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions { ShouldHandle = passing, FailureRatio = 0.9, MinimumThroughput = 10, SamplingDuration = TimeSpan.FromSeconds(10), BreakDuration = Break })
            .AddTimeout(new TimeoutStrategyOptions { Timeout = options.RequestTimeout })
            .Build();
    }
}
