using System.CommandLine;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Output;
using ClipSae.Cli.Running;
using ClipSae.Hosting.Service;
using ClipSae.Pipeline.Runs;

namespace ClipSae.Cli.Verbs;

/// <summary>
/// Trains an autoencoder for every combination of hook point, variant, width and k, and shows which is best, and best at finding what reads
/// text.
/// </summary>
internal sealed class SweepVerb : RunVerb
{
    private readonly ValueOption<string?> _hooks = new("--hooks", "HOOK,…", "Hook points [default: the preset's]");
    private readonly ValueOption<string> _variants = new(
        "--variants",
        "NAME,…",
        "topk, topk-tied, batch-topk, matryoshka",
        "topk,topk-tied"
    );
    private readonly ValueOption<string> _expansions = new("--expansions", "N,…", "Features for each dimension of the input", "4,8");
    private readonly ValueOption<string> _k = new("--k", "N,…", "Active features a row", "16,32,64");

    public SweepVerb()
        : base(
            "sweep",
            "Train a sparse autoencoder for every combination of hook point, variant, width and k, and compare them.",
            tunes: false,
            "clipsae sweep --dataset world/tuning --model base.safetensors --preset demo",
            "clipsae sweep --dataset photos --model ViT-L-14.pt --hooks mlp@8,residual@11,text.mlp@6,image-embedding "
                + "--variants topk,batch-topk --k 32,64",
            "clipsae sweep --dataset photos --model ViT-L-14.pt --expansions 8 --k 16,32,64,128 --json"
        )
    {
        Add(_hooks, _variants, _expansions, _k);
    }

    protected override IEnumerable<string> Assignments(ParseResult arguments)
    {
        // A single value is a list too, so that every autoencoder's name says what it is.
        yield return $"sae.variant=[{string.Join(',', Items(_variants, arguments).Select(name => $"\"{name}\""))}]";
        yield return $"sae.expansion=[{string.Join(',', Items(_expansions, arguments).Select(Number))}]";
        yield return $"sae.k=[{string.Join(',', Items(_k, arguments).Select(Number))}]";
        if (arguments.GetValue(_hooks) is { } hooks)
        {
            yield return $"extraction.hookPoints={hooks}";
        }

        // The ablation is what is asked for, not the attacks that follow it.
        yield return "curation.attacks=64";
    }

    protected override async Task<int> ExecuteAsync(
        ParseResult arguments,
        Session session,
        ClipSaeRuntime runtime,
        RunSpec spec,
        CancellationToken cancel
    )
    {
        var plan = RunPlanner.Sweep(spec, runtime.DefaultParameters());
        return await new RunExecution(session, runtime, async (summary, stop) =>
            await SweepTable.ReadAsync(summary, runtime.Artifacts, stop)
        ).RunAsync(spec, plan, cancel);
    }

    private static string[] Items(Option<string> option, ParseResult arguments) =>
        arguments.GetValue(option)!.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            is { Length: > 0 } items
            ? items
            : throw new WrongUseException($"{option.Name}: name at least one");

    private static string Number(string text) =>
        int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number)
        && number >= 1
            ? text
            : throw new WrongUseException($"'{text}' is not a positive whole number");
}
