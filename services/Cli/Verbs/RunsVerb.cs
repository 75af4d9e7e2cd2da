using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using ClipSae.Pipeline;
using Spectre.Console;

namespace ClipSae.Cli;

/// <summary>Lists the runs of the data folder.</summary>
internal sealed class RunsVerb() : Verb("runs", "List the runs of the data folder, oldest first.", "clipsae runs", "clipsae runs --data /mnt/big/clipsae --json")
{
    public override bool Computes => false;

    public override async Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel)
    {
        await using var runtime = Workplace.Open(session);
        var runs = await runtime.ListRunsAsync(cancel);
        var json = new JsonObject
        {
            ["data"] = session.DataFolder,
            ["runs"] = new JsonArray([.. runs.Select(run => new JsonObject
            {
                ["runId"] = run.Run,
                ["status"] = StatusName(run.Status),
                ["startedAt"] = run.StartedAt,
                ["endedAt"] = run.EndedAt,
                ["origin"] = run.Origin?.Run,
                ["unitsFinished"] = run.UnitsFinished,
                ["units"] = run.Units,
                ["problem"] = run.Problem,
            })]),
        };
        session.Answer(json, console =>
        {
            if (runs.Count == 0)
            {
                console.WriteUnfolded($"no runs in {session.DataFolder}; 'clipsae demo' makes one");
                return;
            }

            var table = new Table { Border = TableBorder.Rounded };
            table.AddColumns("run", "status", "started", "took", "units", "replays", "problem");
            foreach (var run in runs)
            {
                table.AddRow(
                    run.Run.EscapeMarkup(),
                    StatusName(run.Status),
                    run.StartedAt?.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture) ?? "–",
                    run is { StartedAt: { } start, EndedAt: { } end } ? Amounts.Duration(end - start) : "–",
                    $"{run.UnitsFinished}/{run.Units}",
                    run.Origin?.Run.EscapeMarkup() ?? "",
                    (run.Problem ?? "").EscapeMarkup());
            }

            console.Write(table);
        });
        return ExitCode.Done;
    }

    private static string StatusName(RunStatus status) => status switch
    {
        RunStatus.Completed => "done",
        RunStatus.Failed => "failed",
        RunStatus.Cancelled => "cancelled",
        RunStatus.Stopping => "stopping",
        RunStatus.Running => "unfinished",
        _ => "unreadable",
    };
}
