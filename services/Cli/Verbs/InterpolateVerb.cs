using System.CommandLine;
using System.Text.Json.Nodes;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Output;
using ClipSae.Cli.Running;
using ClipSae.WeightConversion;
using ClipSae.WeightConversion.Weights;

namespace ClipSae.Cli.Verbs;

/// <summary>Writes the models between a base and a tuned one.</summary>
internal sealed class InterpolateVerb : Verb
{
    private readonly Argument<string> _base = new("base") { Description = "The checkpoint before fine-tuning, in any format" };
    private readonly Argument<string> _tuned = new("tuned") { Description = "The fine-tuned checkpoint, in any format" };
    private readonly Argument<string> _target = new("out") { Description = "Folder to write to; created if missing" };

    private readonly ValueOption<double[]> _alphas = new("--alpha", "SHARE", "Shares of the tuned model, 0 to 1 [default: 0.25 0.5 0.75]")
    {
        AllowMultipleArgumentsPerToken = true,
    };

    public InterpolateVerb()
        : base(
            "interpolate",
            "Write the models between a base and a fine-tuned one (WiSE-FT), one file for each share.",
            "clipsae interpolate ViT-L-14.pt tuned.safetensors between --alpha 0.25 0.5 0.75",
            "clipsae evaluate --model base=ViT-L-14.pt --model half=between/alpha-0.5.safetensors "
                + "--evaluation attacked=world/evaluation/attacked"
        )
    {
        Add(_base, _tuned, _target, _alphas);
    }

    public override async Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel)
    {
        var from = await SourceAsync("base", arguments.GetValue(_base)!, session, cancel);
        var to = await SourceAsync("tuned", arguments.GetValue(_tuned)!, session, cancel);
        var alphas = arguments.GetValue(_alphas) is { Length: > 0 } given ? given : [0.25, 0.5, 0.75];
        WrongUseException.ThrowIf(alphas.Any(alpha => alpha is not (>= 0 and <= 1)), "--alpha must be from 0 (base) to 1 (tuned)");

        var folder = GivenPath.NewFolder("out", arguments.GetValue(_target))!;
        var files = alphas
            .Distinct()
            .Order()
            .Select(alpha =>
            {
                var path = Path.Combine(folder, WeightInterpolation.FileName(alpha));
                WeightInterpolation.Write(from, to, alpha, path, cancel);
                return path;
            })
            .ToArray();
        session.Answer(new JsonObject { ["files"] = new JsonArray([.. files.Select(file => (JsonNode)file)]) }, console =>
            console.WriteUnfolded(string.Join(Environment.NewLine, files))
        );
        return ExitCode.Done;
    }

    private static async Task<ConversionSource> SourceAsync(string argument, string given, Session session, CancellationToken cancel)
    {
        var path = await GivenModel.PathAsync(argument, given, session, cancel);
        return new ConversionSource(path, Path.GetFileName(path));
    }
}
