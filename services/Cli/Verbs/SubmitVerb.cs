using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Output;
using ClipSae.Cli.Running;
using ClipSae.Hosting.Service;

namespace ClipSae.Cli.Verbs;

/// <summary>Gives a run to the distributed system and leaves it there.</summary>
internal sealed class SubmitVerb : RunVerb
{
    private readonly Option<bool> _print = new("--print")
    {
        Description = "Bring the inputs into the store and print the event, for another program to publish",
    };
    private readonly Option<bool> _bulk = new("--bulk") { Description = "Low priority: let units of other runs go first" };

    public SubmitVerb()
        : base(
            "submit",
            "Give a run to the coordinator and workers of other processes, and return at once.",
            tunes: true,
            "clipsae submit --dataset photos --model ViT-L-14.safetensors --preset vit-l-14",
            "clipsae submit --dataset s3://datasets/coco --model s3://models/vit-l-14 --bulk --json",
            "clipsae submit --dataset photos --model ViT-L-14.safetensors --print > event.json"
        )
    {
        Add(_print, _bulk);
    }

    protected override ClipSaeRuntime Open(Session session) => Workplace.OpenDistributed(session);

    protected override async Task<int> ExecuteAsync(
        ParseResult arguments,
        Session session,
        ClipSaeRuntime runtime,
        RunSpec spec,
        CancellationToken cancel
    )
    {
        var distributed = (DistributedRuntime)runtime;
        distributed.IsInteractive = !arguments.GetValue(_bulk);
        if (arguments.GetValue(_print))
        {
            var message = JsonSerializer.SerializeToNode(distributed.Message(spec), ContractJson.Options)!.AsObject();
            session.Answer(message, console => console.WriteUnfolded(message.ToJsonString()));
            return ExitCode.Done;
        }

        await runtime.ConnectAsync(cancel);
        var run = await Workplace.CheckedAsync(() => runtime.SubmitAsync(spec, cancel: cancel));
        session.Answer(new JsonObject { ["runId"] = run }, console => console.WriteUnfolded(run));
        return ExitCode.Done;
    }
}
