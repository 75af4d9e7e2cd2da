using System.CommandLine;
using System.Text.Json.Nodes;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Diagnosis;
using ClipSae.Cli.Running;
using Spectre.Console;

namespace ClipSae.Cli.Verbs;

/// <summary>Says whether this machine has what the program needs.</summary>
internal sealed class DoctorVerb()
    : Verb(
        "doctor",
        "Check this machine: .NET, libtorch, threads, memory, fonts, disk, "
            + "and broker and object store where the environment names them. Says how to fix what it finds.",
        "clipsae doctor",
        "clipsae doctor --data /mnt/big/clipsae --json"
    )
{
    public override bool Computes => false;

    public override async Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel)
    {
        var settings = Workplace.Settings(session);
        Finding[] findings =
        [
            .. new MachineChecks(session.DataFolder, session.Device).Run(),
            .. await ServerChecks.RunAsync(settings, session.Time, cancel),
        ];
        var fails = findings.Count(finding => finding.Grade is FindingGrade.Fail);
        session.Answer(ToJson(findings, fails == 0), console => Write(console, findings));
        return fails == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private static JsonObject ToJson(IEnumerable<Finding> findings, bool isHealthy) =>
        new()
        {
            ["ok"] = isHealthy,
            ["checks"] = new JsonArray([
                .. findings.Select(finding => new JsonObject
                {
                    ["check"] = finding.Check,
                    ["grade"] = GradeName(finding.Grade),
                    ["detail"] = finding.Detail,
                    ["remedy"] = finding.Remedy,
                }),
            ]),
        };

    private static void Write(IAnsiConsole console, IEnumerable<Finding> findings)
    {
        foreach (var finding in findings)
        {
            var colour = finding.Grade switch
            {
                FindingGrade.Ok => "green",
                FindingGrade.Warn => "yellow",
                _ => "red",
            };
            var remedy = finding.Remedy is null ? "" : $" → {finding.Remedy}";
            console.MarkupLine(
                $"[{colour}]{GradeName(finding.Grade), -4}[/]  {finding.Check, -12}  {(finding.Detail + remedy).EscapeMarkup()}"
            );
        }
    }

    private static string GradeName(FindingGrade grade) =>
        grade switch
        {
            FindingGrade.Ok => "ok",
            FindingGrade.Warn => "warn",
            _ => "fail",
        };
}
