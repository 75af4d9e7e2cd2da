using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Output;
using ClipSae.Cli.Running;
using ClipSae.Pipeline.Pruning;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;
using Microsoft.Extensions.DependencyInjection;

namespace ClipSae.Cli.Verbs;

/// <summary>Makes room in the data folder or the object store.</summary>
internal sealed class PruneVerb : Verb
{
    private const string Mirrors = "remote/";

    private readonly ValueOption<string[]> _keep = new(
        "--keep",
        "RUN",
        "Remove all runs but these, with everything that only they have "
            + "[default: every run is kept, and what none refers to is removed]"
    )
    {
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly ValueOption<string[]> _drop = new(
        "--drop",
        "STAGE",
        "Remove the outputs of these stages, from kept runs too, for example extraction (the activations); a replay computes it again"
    )
    {
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Only show what would be removed" };

    public PruneVerb()
        : base(
            "prune",
            "Remove what takes space and no run needs: artifacts and results no run refers to, checkpoints, "
                + "copies of s3:// inputs. Nothing is removed while a run is unfinished; --dry-run answers at any time.",
            "clipsae prune --dry-run",
            "clipsae prune --drop extraction tuning",
            "clipsae prune --keep latest --json"
        )
    {
        Add(_keep, _drop, _dryRun);
    }

    public override bool Computes => false;

    public override async Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel)
    {
        await using var runtime = Workplace.Open(session);
        var keep = new HashSet<string>(StringComparer.Ordinal);
        foreach (var given in arguments.GetValue(_keep) ?? [])
        {
            keep.Add(await Workplace.FindRunAsync(runtime, given, cancel));
        }

        var pruner = runtime.Services.GetRequiredService<Pruner>();
        var plan = await pruner.PlanAsync(keep.Count > 0 ? keep : null, Dropped(arguments), cancel);
        var local = new FolderObjectStore(session.DataFolder);
        var mirrors = (await local.ListAsync(Mirrors, cancel: cancel))
            .Where(copy => copy.Written < session.Time.GetUtcNow() - PrunePlan.Untouched)
            .ToArray();
        var isDry = arguments.GetValue(_dryRun);
        if (!isDry)
        {
            await pruner.RemoveAsync(plan, cancel);
            foreach (var copy in mirrors)
            {
                await local.RemoveAsync(copy.Key, cancel);
            }
        }

        if (isDry && plan.Unfinished.Count > 0)
        {
            session.Tell(
                $"{string.Join(", ", plan.Unfinished)} {(plan.Unfinished.Count == 1 ? "has" : "have")} not ended "
                    + $"and {(plan.Unfinished.Count == 1 ? "is" : "are")} kept; nothing can be removed until then"
            );
        }

        Answer(session, isDry, [.. plan.Groups.Select(group => (NameOf(group.Kind), group.Items)), ("copies of s3:// inputs", mirrors)]);
        return ExitCode.Done;
    }

    private static void Answer(Session session, bool isDry, (string Name, IReadOnlyList<StoredObject> Items)[] groups)
    {
        var bytes = groups.Sum(group => Bytes(group.Items));
        var json = new JsonObject
        {
            ["dryRun"] = isDry,
            ["bytes"] = bytes,
            ["removed"] = new JsonArray([
                .. groups.Select(group => new JsonObject
                {
                    ["what"] = group.Name,
                    ["files"] = group.Items.Count,
                    ["bytes"] = Bytes(group.Items),
                }),
            ]),
        };
        session.Answer(json, console =>
        {
            var table = new NumberTable(isDry ? "would be removed" : "removed", "files", "size");
            foreach (var (name, items) in groups)
            {
                table.Add(name, [items.Count.ToString(CultureInfo.InvariantCulture), Amounts.Bytes(Bytes(items))]);
            }

            table.Add("total", [groups.Sum(group => group.Items.Count).ToString(CultureInfo.InvariantCulture), Amounts.Bytes(bytes)]);
            table.Write(console);
        });
    }

    private HashSet<string> Dropped(ParseResult arguments)
    {
        var dropped = new HashSet<string>(StringComparer.Ordinal);
        foreach (var given in arguments.GetValue(_drop) ?? [])
        {
            var stage = ParameterSections.StageOf(given);
            dropped.Add(
                ParameterSections.All.Any(known => known.Stage == stage)
                    ? stage
                    : throw new WrongUseException(
                        $"--drop {given}: there is no such stage; "
                            + $"{NearMatches.Describe(given, ParameterSections.All.Select(known => known.Stage))}"
                    )
            );
        }

        return dropped;
    }

    private static long Bytes(IReadOnlyList<StoredObject> items) => items.Sum(item => item.Length);

    private static string NameOf(PruneKind kind) =>
        kind switch
        {
            PruneKind.Runs => "runs that are not kept",
            PruneKind.Results => "results of no kept run",
            PruneKind.Checkpoints => "checkpoints",
            _ => "artifacts of no kept run",
        };
}
