using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Contracts;
using ClipSae.Hosting;
using ClipSae.Pipeline;

namespace ClipSae.Coordinator;

/// <summary>Begins the run that an event asks for. The same event twice begins one run; another one may not take its name.</summary>
public sealed class RunStarter(RunCoordinator coordinator, IEventStore events, IArtifactStore artifacts, IStageDefaults told, TimeProvider time)
{
    /// <returns>The run's name, and whether it was new.</returns>
    /// <exception cref="UserErrorException">The event is invalid; the message names the field.</exception>
    public async Task<(string Run, bool IsNew)> BeginAsync(DatasetReady ready, CancellationToken cancel)
    {
        Require(ready);
        var run = ready.Run ?? NameOf(ready);
        var isNew = (await events.ReadAsync(run, 0, cancel)).Count == 0;
        if (isNew)
        {
            await BeginAsync(run, ready, cancel);
        }

        // By the store, since another coordinator may have begun a run of this name at the same moment.
        RequireSame(ready, (await coordinator.StateAsync(run, cancel)).Start);
        return (run, isNew);
    }

    private async Task BeginAsync(string run, DatasetReady ready, CancellationToken cancel)
    {
        var request = new RunRequest(ready.Inputs, ready.Parameters, ready.Seed, ready.Verify);
        var plan = ready.Plan ?? RunPlanner.Plan(request, await DefaultsAsync(cancel));
        RunPlanValidation.Require(plan, ready.Inputs, null);
        await RequireKnownAsync(plan, cancel);
        var taken = ready.Origin is { } origin
            ? await Replay.TakeAsync(Replay.StagesBefore(await OriginAsync(origin.Run, cancel), origin.FromStage), origin.Run, artifacts, time.GetUtcNow(), cancel)
            : [];
        var started = new RunStarted(run, plan, ready.Inputs, ready.Parameters, ready.Seed, ready.Origin, ready.Verify, ready.Interactive) { At = time.GetUtcNow() };
        await coordinator.HandleAsync(run, [started, .. taken], cancel);
    }

    private static void RequireSame(DatasetReady ready, RunStarted? started)
    {
        if (started is null || RunIdentity.Of(ready, started.Plan) != RunIdentity.Of(started))
        {
            throw new UserErrorException($"dataset-ready: run: {ready.Run} is the name of a run that was asked for with other inputs, parameters, seed, plan or origin: give another name, or none");
        }
    }

    private async Task RequireKnownAsync(RunPlan plan, CancellationToken cancel)
    {
        foreach (var stage in plan.Stages.Select(stage => stage.Stage))
        {
            if (await told.FindAsync(stage, cancel) is null)
            {
                throw new UserErrorException(
                    $"dataset-ready: plan: no worker of stage {stage} has ever started here: start one first; {NearMatches.Describe(stage, ParameterSections.All.Select(pair => pair.Stage))}");
            }
        }
    }

    private static void Require(DatasetReady ready)
    {
        // Plain JSON comes from anywhere: what the type promises was not checked yet.
        if (ready.Inputs is null or { Count: 0 })
        {
            throw new UserErrorException("dataset-ready: inputs is missing: expected artifacts by name, such as dataset:shards/00000 and model:weights");
        }

        if (ready.Inputs.Count > DatasetReady.MostInputs)
        {
            throw new UserErrorException($"dataset-ready: inputs has {ready.Inputs.Count} members; at most {DatasetReady.MostInputs} are taken: use fewer and larger shards");
        }

        if (ready.Parameters is null)
        {
            throw new UserErrorException("dataset-ready: parameters is missing: expected sections of parameters, {} for none");
        }

        foreach (var (name, artifact) in ready.Inputs)
        {
            if (artifact is not { Digest: not null, Name: not null, MediaType: not null, Length: >= 0 })
            {
                throw new UserErrorException($"dataset-ready: inputs['{name}'] must have digest, length, mediaType and name");
            }

            try
            {
                Digest.Hex(artifact.Digest);
            }
            catch (UserErrorException error)
            {
                // No inner exception: what the sender is told is the innermost message.
                throw new UserErrorException($"dataset-ready: inputs['{name}'].digest: {error.Message}");
            }
        }

        try
        {
            RunName.Require(ready.Run ?? "run");
        }
        catch (UserErrorException error)
        {
            throw new UserErrorException($"dataset-ready: run: {error.Message}");
        }
    }

    /// <summary>A name that follows from the content, so that an event without a name is the same run however often it comes.</summary>
    private static string NameOf(DatasetReady ready) =>
        "event-" + Digest.Hex(Digest.OfText(CanonicalJson.Serialize(JsonSerializer.SerializeToNode(ready, ContractJson.Options))))[..16];

    private async Task<IReadOnlyDictionary<string, JsonObject>> DefaultsAsync(CancellationToken cancel)
    {
        var defaults = new Dictionary<string, JsonObject>(StringComparer.Ordinal);
        foreach (var (_, stage) in ParameterSections.All)
        {
            defaults[stage] = await told.FindAsync(stage, cancel)
                ?? throw new UserErrorException($"dataset-ready: no worker of stage {stage} has ever started here, so its part of the plan is unknown: start one, or give a plan");
        }

        return defaults;
    }

    private async Task<RunState> OriginAsync(string run, CancellationToken cancel)
    {
        var state = RunState.Fold((await events.ReadAsync(run, 0, cancel)).Select(stored => stored.Event));
        return state.Start is not null ? state : throw new UserErrorException($"dataset-ready: origin: there is no run {run}");
    }
}
