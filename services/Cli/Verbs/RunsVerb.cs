using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Output;
using ClipSae.Cli.Running;

namespace ClipSae.Cli.Verbs;

/// <summary>Lists the runs of the data folder.</summary>
internal sealed class RunsVerb()
    : Verb("runs", "List the runs of the data folder, oldest first.", "clipsae runs", "clipsae runs --data /mnt/big/clipsae --json")
{
    public override bool Computes => false;

    public override async Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel)
    {
        await using var runtime = Workplace.Open(session);
        var runs = await runtime.ListRunsAsync(cancel);
        var json = new JsonObject
        {
            ["data"] = session.DataFolder,
            ["runs"] = new JsonArray([
                .. runs.Select(run => new JsonObject
                {
                    ["runId"] = run.Run,
                    ["status"] = run.StatusName,
                    ["startedAt"] = run.StartedAt,
                    ["endedAt"] = run.EndedAt,
                    ["origin"] = run.Origin?.Run,
                    ["unitsFinished"] = run.UnitsFinished,
                    ["units"] = run.Units,
                    ["problem"] = run.Problem,
                }),
            ]),
        };
        session.Answer(json, console =>
        {
            if (runs.Count == 0)
            {
                console.WriteUnfolded($"no runs in {session.DataFolder}; 'clipsae demo' creates one");
                return;
            }

            var lines = PaddedLines.Of(
                ["run", "status", "started (UTC)", "took", "units"],
                runs.Select(run =>
                    new[]
                    {
                        run.Run,
                        run.StatusName,
                        run.StartedAt?.ToString("MM-dd HH:mm", CultureInfo.InvariantCulture) ?? "–",
                        run is { StartedAt: { } start, EndedAt: { } end } ? Amounts.Duration(end - start) : "–",
                        $"{run.UnitsFinished}/{run.Units}",
                    }
                )
            );
            console.WriteUnfolded(lines[0]);
            foreach (var (run, line) in runs.Zip(lines.Skip(1)))
            {
                console.WriteUnfolded(line);
                foreach (var note in new[] { run.Origin is { } origin ? $"replays {origin.Run}" : null, run.Problem }.OfType<string>())
                {
                    console.WriteUnfolded($"    {note}");
                }
            }
        });
        return ExitCode.Done;
    }
}
