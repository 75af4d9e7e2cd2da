using System.CommandLine;
using System.Text.Json.Nodes;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Output;
using ClipSae.Cli.Running;
using ClipSae.WeightConversion;
using ClipSae.WeightConversion.Weights;

namespace ClipSae.Cli.Verbs;

/// <summary>Gives a model a longer text context, as Long-CLIP begins.</summary>
internal sealed class StretchVerb : Verb
{
    private readonly Argument<string> _source = new("in") { Description = "CLIP checkpoint: safetensors, PyTorch file, or a model folder" };
    private readonly Argument<string> _target = new("out") { Description = "Safetensors file to write" };

    public StretchVerb()
        : base(
            "stretch",
            "Stretch a model's text context from 77 to 248 tokens, as Long-CLIP does before its fine-tuning.",
            "clipsae stretch ViT-L-14.pt long.safetensors"
        )
    {
        Add(_source, _target);
    }

    public override async Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel)
    {
        var path = await GivenModel.PathAsync("in", arguments.GetValue(_source)!, session, cancel);
        var target = GivenPath.NewFile("out", arguments.GetValue(_target))!;
        var context = ContextStretching.Write(new ConversionSource(path, Path.GetFileName(path)), target);
        session.Answer(new JsonObject { ["file"] = target, ["context"] = context }, console =>
            console.WriteUnfolded($"{context} tokens of context, written to {target}")
        );
        return ExitCode.Done;
    }
}
