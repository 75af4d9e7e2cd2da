using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Output;
using ClipSae.Cli.Running;
using ClipSae.Pipeline.Events;

namespace ClipSae.Cli.Verbs;

/// <summary>Shows the events of a run.</summary>
internal sealed class EventsVerb : Verb
{
    private readonly Argument<string> _run = RunArgument.Create();

    public EventsVerb()
        : base(
            "events",
            "Show a run's events in order, the complete record of it.",
            "clipsae events latest",
            "clipsae events latest --json"
        ) => Add(_run);

    public override bool Computes => false;

    public override async Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel)
    {
        await using var runtime = Workplace.Open(session);
        var run = await Workplace.FindRunAsync(runtime, arguments.GetValue(_run)!, cancel);
        var events = await runtime.ReadEventsAsync(run, cancel);
        session.Answer(
            new JsonObject
            {
                ["runId"] = run,
                ["events"] = new JsonArray([
                    .. events.Select(stored => new JsonObject
                    {
                        ["sequence"] = stored.Sequence,
                        ["event"] = JsonSerializer.SerializeToNode(stored.Event, ContractJson.Options),
                    }),
                ]),
            },
            console =>
            {
                foreach (var stored in events)
                {
                    console.WriteUnfolded(Line(stored));
                }
            }
        );
        return ExitCode.Done;
    }

    /// <summary>An event as one line.</summary>
    internal static string Line(StoredEvent stored)
    {
        var what = stored.Event switch
        {
            RunStarted started =>
                $"run started: {string.Join(" → ", started.Plan.Stages.Select(stage => $"{stage.Stage} ({stage.Units.Count})"))}"
                    + (started.Spec.Origin is { } origin ? $", replays {origin.Run} from {origin.FromStage}" : ""),
            UnitsRequested requested => $"{requested.Stage}: {string.Join(", ", requested.Units)} requested",
            UnitFinished finished =>
                $"{finished.Stage}/{finished.Unit} finished in {Amounts.Duration(TimeSpan.FromSeconds(finished.Seconds))}, "
                    + $"cache {finished.Cache.Kind.ToString().ToLowerInvariant()}: {finished.Cache.Reason}",
            UnitFailed failed => $"{failed.Stage}/{failed.Unit} failed after {failed.Attempts} attempts: {failed.Reason}",
            UnitsGivenUp givenUp => $"{givenUp.Stage} continues without {string.Join(", ", givenUp.Units)}",
            UnitStopped stopped => $"{stopped.Stage}/{stopped.Unit} stopped",
            RunCancelRequested cancel => $"cancel requested: {cancel.Reason}",
            RunFailed failed => $"run failed at {failed.Stage}/{failed.Unit}: {failed.Reason}",
            RunCancelled => "run cancelled",
            RunCompleted => "run completed",
            var other => other.GetType().Name,
        };
        return string.Create(CultureInfo.InvariantCulture, $"{stored.Sequence, 5}  {stored.Event.At:yyyy-MM-dd HH:mm:ss.fff}  {what}");
    }
}
