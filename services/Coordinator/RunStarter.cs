using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Hosting.Runs;
using ClipSae.Hosting.Worker;
using ClipSae.Pipeline.Coordination;
using ClipSae.Pipeline.Events;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;

namespace ClipSae.Coordinator;

/// <summary>Begins the run that an event asks for. The same event twice begins one run; another one may not take its name.</summary>
public sealed class RunStarter(
    RunCoordinator coordinator,
    RunBeginning beginning,
    IEventStore events,
    IArtifactStore artifacts,
    StageDefaultsStore told,
    IUnitChecks checks
)
{
    private const int MaxNameLength = 1_000;
    private const int MaxFileNameLength = 255;

    // Each look is a round trip; a hundred thousand shards are looked at within minutes.
    private const int LooksAtOnce = 32;

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

        // By the store, since another coordinator may have started a run of this name at the same moment.
        RequireSame(ready, (await coordinator.StateAsync(run, cancel)).Start);
        return (run, isNew);
    }

    private async Task BeginAsync(string run, DatasetReady ready, CancellationToken cancel)
    {
        var spec = ready.Spec;
        var plan = ready.Plan ?? await PlanAsync(spec, cancel);
        Naming("plan", () => RunPlanValidation.Require(plan, spec.Inputs, null));
        await RequireKnownAsync(plan, cancel);
        await RequireStoredAsync(spec.Inputs, cancel);
        foreach (var stage in RunBeginning.ComputedStages(spec, plan))
        {
            await RequireFeasibleAsync(stage, spec.Inputs, cancel);
        }

        var versions = new Dictionary<string, int?>(StringComparer.Ordinal);
        foreach (var stage in plan.Stages)
        {
            versions[stage.Stage] = stage.AlgorithmVersion ?? await told.FindVersionAsync(stage.Stage, cancel);
        }

        plan = PlanVersions.Pin(plan, versions.GetValueOrDefault);
        await coordinator.HandleAsync(run, await EventsAsync(run, spec, plan, cancel), cancel);
    }

    private async Task<RunPlan> PlanAsync(RunSpec spec, CancellationToken cancel)
    {
        var defaults = await DefaultsAsync(cancel);
        RunPlan? plan = null;
        Naming("parameters", () => plan = RunPlanner.Plan(spec, defaults));
        return plan!;
    }

    /// <summary>
    /// What a worker of the stage says of its units, as the command line finds it; where none is there, whether the parameters are ones
    /// that the stage has.
    /// </summary>
    private async Task RequireFeasibleAsync(StagePlan stage, IReadOnlyDictionary<string, ArtifactRef> inputs, CancellationToken cancel)
    {
        if (await checks.AskAsync(stage, inputs, cancel) is { } answer)
        {
            if (answer.Problem is { } problem)
            {
                throw new UserErrorException($"dataset-ready: parameters: {problem}");
            }
        }
        else if (await told.FindAsync(stage.Stage, cancel) is { Count: > 0 } defaults)
        {
            Naming("parameters", () =>
            {
                foreach (var unit in stage.Units)
                {
                    StageParameters.RequireLike(StageParameters.Overlay(stage.Parameters, unit.Parameters), defaults, stage.Stage);
                }
            });
        }
    }

    private async Task RequireStoredAsync(IReadOnlyDictionary<string, ArtifactRef> inputs, CancellationToken cancel)
    {
        var problems = new ConcurrentBag<string>();
        await Parallel.ForEachAsync(
            inputs,
            new ParallelOptions { MaxDegreeOfParallelism = LooksAtOnce, CancellationToken = cancel },
            async (input, token) =>
            {
                switch (await artifacts.LengthAsync(input.Value.Digest, token))
                {
                    case null:
                        problems.Add(
                            $"inputs['{input.Key}'].digest: the store has no content of {input.Value.Digest}: "
                                + "bring it there first, as clipsae submit --print does"
                        );
                        break;
                    case { } length when length != input.Value.Length:
                        problems.Add(
                            FormattableString.Invariant(
                                $"inputs['{input.Key}'].length = {input.Value.Length}: the content of this digest has {length} bytes"
                            )
                        );
                        break;
                }
            }
        );
        if (problems.Min(StringComparer.Ordinal) is { } first)
        {
            throw new UserErrorException(
                "dataset-ready: "
                    + $"{first}{(problems.Count > 1 ? FormattableString.Invariant($" (and {problems.Count - 1} more inputs)") : "")}"
            );
        }
    }

    /// <summary>Lets what is wrong begin with the field that it is in.</summary>
    private static void Naming(string field, Action check)
    {
        try
        {
            check();
        }
        catch (UserErrorException error)
        {
            // No inner exception: what the sender sees is the innermost message.
            throw new UserErrorException($"dataset-ready: {field}: {error.Message}");
        }
    }

    private static void RequireSame(DatasetReady ready, RunStarted? started) =>
        UserErrorException.ThrowIf(
            started is null
                || RunIdentity.Of(ready.Spec, ready.Plan is { } asked ? PlanVersions.PinAs(asked, started.Plan) : started.Plan)
                    != RunIdentity.Of(started),
            $"dataset-ready: run: {ready.Run} is the name of a run with other inputs, parameters, seed, plan or origin: "
                + $"choose another name, or give none"
        );

    private async Task RequireKnownAsync(RunPlan plan, CancellationToken cancel)
    {
        foreach (var stage in plan.Stages.Select(stage => stage.Stage))
        {
            if (await told.FindAsync(stage, cancel) is null)
            {
                throw new UserErrorException(
                    $"dataset-ready: plan: no worker of stage {stage} has ever started here: start one first; "
                        + $"{NearMatches.Describe(stage, ParameterSections.All.Select(pair => pair.Stage))}"
                );
            }
        }
    }

    private static void Require(DatasetReady ready)
    {
        // Plain JSON comes from anywhere: what the type promises was not checked yet.
        UserErrorException.ThrowIf(
            ready.Spec.Inputs is null or { Count: 0 },
            "dataset-ready: inputs is missing: expected artifacts by name, such as dataset:shards/00000 and model:weights"
        );
        UserErrorException.ThrowIf(
            ready.Spec.Inputs.Count > DatasetReady.MaxInputs,
            $"dataset-ready: inputs has {ready.Spec.Inputs.Count} members; at most {DatasetReady.MaxInputs} are allowed: "
                + $"use fewer and larger shards"
        );
        UserErrorException.ThrowIf(
            ready.Spec.Parameters is null,
            "dataset-ready: parameters is missing: expected sections of parameters, {} for none"
        );

        foreach (var (name, artifact) in ready.Spec.Inputs)
        {
            if (RunPlanValidation.NameProblem(name, MaxNameLength) is { } problem)
            {
                throw new UserErrorException($"dataset-ready: inputs: the name '{name}' {problem}");
            }

            UserErrorException.ThrowIf(
                artifact is not { Digest: not null, Name: not null, MediaType: not null, Length: >= 0 },
                $"dataset-ready: inputs['{name}'] must have digest, length, mediaType and name"
            );

            Naming($"inputs['{name}'].digest", () => Digest.Hex(artifact.Digest));
            Naming($"inputs['{name}'].name", () => RequireFileName(artifact.Name));
            Naming($"inputs['{name}'].mediaType", () => RequireText(artifact.MediaType));
        }

        Naming("run", () => RunName.Require(ready.Run ?? "run"));
        Naming("origin.run", () => RunName.Require(ready.Spec.Origin?.Run ?? "run"));
    }

    private static void RequireText(string text)
    {
        if (RunPlanValidation.NameProblem(text, MaxFileNameLength) is { } problem)
        {
            throw new UserErrorException($"'{text}' {problem}");
        }
    }

    private static void RequireFileName(string name)
    {
        RequireText(name);
        // A shard's name has a folder in it; none may lead out of where it is written.
        UserErrorException.ThrowIf(
            name.Contains('\\', StringComparison.Ordinal) || name.Split('/').Any(part => part is "" or "." or ".."),
            $"'{name}' is not a file name"
        );
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
                ?? throw new UserErrorException(
                    $"dataset-ready: no worker of stage {stage} has ever started here, so its part of the plan is unknown: "
                        + "start one, or give a plan"
                );
        }

        return defaults;
    }

    private async Task<IReadOnlyList<RunEvent>> EventsAsync(string run, RunSpec spec, RunPlan plan, CancellationToken cancel)
    {
        try
        {
            return await beginning.EventsAsync(run, spec, plan, cancel);
        }
        catch (UserErrorException error)
        {
            throw new UserErrorException($"dataset-ready: {error.Message}");
        }
    }
}
