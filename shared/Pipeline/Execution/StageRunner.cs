using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Pipeline.Events;
using ClipSae.Pipeline.Stages;
using Microsoft.Extensions.Logging;

namespace ClipSae.Pipeline.Execution;

/// <summary>
/// Runs units: takes a stored result if there is one, and otherwise lets the stage compute it and stores what it gives.
/// </summary>
public sealed class StageRunner(
    IEnumerable<IStage> stages,
    IArtifactStore artifacts,
    IStageResults results,
    IKeyLocks locks,
    CheckpointStore checkpoints,
    IEventStore events,
    ProcessScratch scratch,
    TimeProvider time,
    ILoggerFactory logs,
    IComputeTraits? traits = null
)
{
    // From the largest batches in use down to 1.
    private const int MaxHalvings = 10;

    private readonly Dictionary<string, IStage> _stages = stages.ToDictionary(stage => stage.Name, StringComparer.Ordinal);
    private readonly CacheExplainer _explainer = new(results, events, logs.CreateLogger<CacheExplainer>());
    private readonly ILogger _log = logs.CreateLogger<StageRunner>();

    /// <summary>This process, as facts name it.</summary>
    public static string Worker { get; } = $"{Environment.MachineName}:{Environment.ProcessId}";

    /// <summary>
    /// Why a unit is not for the workers of this program: its run was started with another version of the stage's algorithm. Null where it
    /// is.
    /// </summary>
    public string? VersionMismatch(RunUnit command) =>
        command.AlgorithmVersion is { } planned && _stages.TryGetValue(command.Stage, out var stage) && stage.AlgorithmVersion != planned
            ? FormattableString.Invariant(
                $"the run was started with version {planned} of {command.Stage}, this worker has {stage.AlgorithmVersion}"
            )
            : null;

    /// <summary>
    /// The unit with its parameters as <see cref="IStage.Normalize"/> makes them: the same, but checked, where its run began with them so;
    /// runs that older versions began, or whose coordinator does not know the stage, have others.
    /// </summary>
    /// <exception cref="UserErrorException">The stage is not hosted here, or a parameter is impossible.</exception>
    public RunUnit Normalized(RunUnit command) =>
        command with
        {
            Parameters = StageOf(command).Normalize(command.Parameters.DeepClone().AsObject()),
        };

    /// <summary>Runs one unit to its result.</summary>
    /// <param name="command">The unit, <see cref="Normalized"/>.</param>
    /// <exception cref="UserErrorException">The user's to fix; trying again changes nothing.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; checkpoints stay for the next time.</exception>
    public async Task<UnitFinished> RunAsync(RunUnit command, IProgress<UnitProgress> progress, CancellationToken cancel)
    {
        var startedAt = time.GetUtcNow();
        var start = time.GetTimestamp();
        using var span = StartSpan(command);
        try
        {
            var finished = await RunAsync(command, progress, startedAt, start, cancel);
            span?.SetTag(PipelineTelemetry.CacheTag, finished.Cache.Kind == CacheKind.Hit)
                .SetTag(PipelineTelemetry.ArtifactsTag, finished.Outputs.Select(output => $"{output.Key}={output.Value.Digest}").ToArray());
            Count(command, finished.Cache.Kind == CacheKind.Hit ? "hit" : "computed", finished.Seconds);
            return finished;
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            span?.SetStatus(ActivityStatusCode.Error, error.Message);
            Count(command, "failed", time.GetElapsedTime(start).TotalSeconds);
            if (DiskErrors.IsLasting(error) && DiskErrors.Explain(error, scratch.NewPath()) is { } explained)
            {
                throw explained;
            }

            throw;
        }
    }

    private async Task<UnitFinished> RunAsync(
        RunUnit command,
        IProgress<UnitProgress> progress,
        DateTimeOffset startedAt,
        long start,
        CancellationToken cancel
    )
    {
        cancel.ThrowIfCancellationRequested();
        var stage = StageOf(command);
        if (VersionMismatch(command) is { } mismatch)
        {
            throw new UserErrorException(
                $"{command.Stage}/{command.Unit}: {mismatch}: start the run again to compute with the available version"
            );
        }

        var parameters = command.Parameters;
        var parts = StageKeyParts.Of(stage, parameters, command.Inputs);
        var key = parts.Key();
        UnitFinished Finished(
            IReadOnlyDictionary<string, ArtifactRef> outputs,
            JsonObject metrics,
            CacheKind kind,
            string reason,
            ComputeTraits? computed
        ) =>
            new(
                command.Stage,
                command.Unit,
                Worker,
                key,
                outputs,
                metrics,
                new CacheOutcome(kind, reason),
                Math.Round(time.GetElapsedTime(start).TotalSeconds, 4),
                startedAt,
                computed
            )
            {
                At = time.GetUtcNow(),
            };

        if (!stage.Cacheable)
        {
            var told = await ComputeAsync(stage, command, parameters, NoCheckpointsFor, progress, cancel);
            return Finished(
                told.Outputs,
                told.Metrics,
                CacheKind.Miss,
                "never cached: it reports on the run itself",
                traits?.Of(parameters)
            );
        }

        var (stored, lost) = await LookUpAsync(key, command.Verify, cancel);
        IDisposable? hold = null;
        try
        {
            if (stored is null || command.Verify)
            {
                hold = await locks.HoldAsync(key, cancel);
                (stored, lost) = await LookUpAsync(key, command.Verify, cancel);
            }

            if (stored is not null && !command.Verify)
            {
                await RememberAsync(command, key, cancel);
                return Finished(
                    stored.Outputs,
                    stored.Metrics,
                    CacheKind.Hit,
                    $"same parameters and inputs as in run {stored.Run}{Since(stored, parameters)}",
                    stored.Computed
                );
            }

            var reason = lost ?? (stored is null ? await _explainer.WhyMissAsync(command, parts, cancel) : "");

            // What a verification computes must not start from what it is to be compared with.
            var checkpointKey = stored is null ? key : key + "-verify";
            var result = await ComputeAsync(
                stage,
                command,
                parameters,
                folder => checkpoints.Open(checkpointKey, folder),
                progress,
                cancel
            );
            var here = traits?.Of(parameters); // after the work: how many threads there are is known then
            var verified = "";
            if (stored is not null)
            {
                verified = await VerifyAsync(command, stored, result, here, cancel);
            }
            else
            {
                var seconds = Math.Round(time.GetElapsedTime(start).TotalSeconds, 4);
                await results.SaveAsync(
                    key,
                    new StoredResult(parts, command.Unit, command.Run, result.Outputs, result.Metrics, seconds, time.GetUtcNow(), here),
                    cancel
                );
                await RememberAsync(command, key, cancel);
            }

            await checkpoints.ClearAsync(checkpointKey, cancel);
            return stored is null
                ? Finished(result.Outputs, result.Metrics, CacheKind.Miss, reason, here)
                : Finished(result.Outputs, result.Metrics, CacheKind.Verified, verified, here);
        }
        finally
        {
            hold?.Dispose();
        }
    }

    private IStage StageOf(RunUnit command) =>
        _stages.TryGetValue(command.Stage, out var stage)
            ? stage
            : throw new UserErrorException(
                $"no worker for stage {command.Stage} is hosted here; {NearMatches.Describe(command.Stage, _stages.Keys)}"
            );

    private static ICheckpoints NoCheckpointsFor(string folder) => NoCheckpoints.Instance;

    /// <summary>The stored result, or why it is useless although it is there.</summary>
    private async Task<(StoredResult? Stored, string? Lost)> LookUpAsync(string key, bool verify, CancellationToken cancel)
    {
        var stored = await results.FindAsync(key, cancel);
        if (stored is null || verify)
        {
            return (stored, null);
        }

        foreach (var (name, output) in stored.Outputs)
        {
            if (!await artifacts.ExistsAsync(output.Digest, cancel))
            {
                return (null, $"output {name} of the stored result is no longer in the store");
            }
        }

        return (stored, null);
    }

    private async Task<StageResult> ComputeAsync(
        IStage stage,
        RunUnit command,
        JsonObject parameters,
        Func<string, ICheckpoints> openCheckpoints,
        IProgress<UnitProgress> progress,
        CancellationToken cancel
    )
    {
        for (var halvings = 0; ; halvings++)
        {
            try
            {
                return await ComputeAsync(stage, command, parameters, halvings, openCheckpoints, progress, cancel);
            }
            catch (Exception error) when (DeviceFault.IsOutOfMemory(error))
            {
                if (!stage.MayHalveBatches || halvings == MaxHalvings)
                {
                    throw new UserErrorException(
                        $"{command.Stage}/{command.Unit}: "
                            + $"the device does not have enough memory ({DeviceFault.Line(error)}): {stage.WhenMemoryIsShort}",
                        error
                    );
                }

                _log.LogWarning(
                    "{Stage}/{Unit}: the device does not have enough memory ({Reason}); trying again with half the batch",
                    command.Stage,
                    command.Unit,
                    DeviceFault.Line(error)
                );
            }
        }
    }

    private async Task<StageResult> ComputeAsync(
        IStage stage,
        RunUnit command,
        JsonObject parameters,
        int halvings,
        Func<string, ICheckpoints> openCheckpoints,
        IProgress<UnitProgress> progress,
        CancellationToken cancel
    )
    {
        var folder = scratch.NewFolder();
        var meter = new ProgressMeter(command, progress, time);
        using var observed = new ObservedCheckpoints(openCheckpoints(folder), command, time, _log);
        try
        {
            progress.Report(
                new UnitProgress(command.Run, command.Stage, command.Unit, 0, 0, "", null, null, new Dictionary<string, double>())
            );
            return await stage.RunAsync(
                new StageContext
                {
                    Run = command.Run,
                    Stage = command.Stage,
                    Unit = command.Unit,
                    Parameters = parameters,
                    Inputs = command.Inputs,
                    Artifacts = artifacts,
                    Checkpoints = observed,
                    Results = command.Verify ? null : results,
                    Progress = meter,
                    Scratch = folder,
                    Halvings = halvings,
                    RunLog = stage.Cacheable ? null : new RunLog(events, command.Run),
                    Log = logs.CreateLogger(command.Stage),
                    Time = time,
                },
                cancel
            );
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task RememberAsync(RunUnit command, string key, CancellationToken cancel)
    {
        if (await results.LastKeyAsync(command.Stage, command.Unit, cancel) != key)
        {
            await results.RememberKeyAsync(command.Stage, command.Unit, key, cancel);
        }
    }

    /// <summary>What has changed since a stored result was computed, so far as its bits may follow from it.</summary>
    private string Since(StoredResult stored, JsonObject parameters) =>
        stored.Computed is { } computed && traits?.Of(parameters).DifferenceFrom(computed) is { } difference ? $"; {difference}" : "";

    /// <summary>
    /// Holds what was computed again against what is stored: bit for bit, or within a tolerance where threads, processor or device are
    /// others.
    /// </summary>
    private async Task<string> VerifyAsync(
        RunUnit command,
        StoredResult stored,
        StageResult result,
        ComputeTraits? here,
        CancellationToken cancel
    )
    {
        var differing = stored
            .Outputs.Keys.Union(result.Outputs.Keys, StringComparer.Ordinal)
            .Where(name => stored.Outputs.GetValueOrDefault(name)?.Digest != result.Outputs.GetValueOrDefault(name)?.Digest)
            .Order(StringComparer.Ordinal)
            .ToArray();
        if (differing.Length == 0)
        {
            return $"computed again: all {result.Outputs.Count} outputs equal those of run {stored.Run}";
        }

        var changed = stored.Computed is { } computed && here is not null ? here.DifferenceFrom(computed) : null;
        var problem = changed is null
            ? null
            : await ResultComparison.ProblemAsync(stored.Outputs, result.Outputs, differing, artifacts, cancel);
        if (changed is not null && problem is null)
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"computed again: {result.Outputs.Count - differing.Length} of {result.Outputs.Count} outputs equal those of "
                    + $"run {stored.Run}, the others agree within {ResultComparison.Tolerance:0.###} ({changed})"
            );
        }

        _log.LogWarning(
            "{Stage}/{Unit}: verification found different digests than run {Run} had stored",
            command.Stage,
            command.Unit,
            stored.Run
        );
        throw new UserErrorException(
            $"{command.Stage}/{command.Unit}: computed again, {string.Join(", ", differing)} "
                + $"differ{(differing.Length == 1 ? "s" : "")} from what run {stored.Run} stored"
                + (
                    changed is not null ? $"; {changed}, and beyond that: {problem}"
                    : stored.Computed is null ? "; same device kind and thread count are needed for equal digests"
                    : ""
                )
        );
    }

    private static Activity? StartSpan(RunUnit command)
    {
        var span = PipelineTelemetry.Source.StartActivity($"{command.Stage} {command.Unit}");
        span?.SetTag(PipelineTelemetry.RunTag, command.Run)
            .SetTag(PipelineTelemetry.StageTag, command.Stage)
            .SetTag(PipelineTelemetry.UnitTag, command.Unit);
        return span;
    }

    private static void Count(RunUnit command, string outcome, double seconds)
    {
        var stage = KeyValuePair.Create<string, object?>(PipelineTelemetry.StageTag, command.Stage);
        PipelineTelemetry.Duration.Record(seconds, stage);
        PipelineTelemetry.Units.Add(1, stage, KeyValuePair.Create<string, object?>("outcome", outcome));
        if (outcome == "hit")
        {
            PipelineTelemetry.CacheHits.Add(1, stage);
        }
    }
}
