using System.CommandLine;
using System.Text.Json.Nodes;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Output;
using ClipSae.Cli.Running;
using ClipSae.Web.Atlas;

namespace ClipSae.Cli.Verbs;

/// <summary>Writes the atlas of a run's features as files.</summary>
internal sealed class AtlasVerb : Verb
{
    private readonly Argument<string> _run = RunArgument.Create();
    private readonly ValueOption<string> _out = new("--out", "FOLDER", "Folder to write; it must not exist yet") { Required = true };
    private readonly ValueOption<int> _features = new(
        "--features",
        "N",
        "Features of each autoencoder that get a page, by text salience, then density",
        200
    );

    public AtlasVerb()
        : base(
            "atlas",
            "Write the features of a run's autoencoders as a folder of pages that needs no server.",
            "clipsae atlas latest --out atlas",
            "clipsae atlas latest --out atlas --features 2000"
        )
    {
        Add(_run, _out, _features);
    }

    public override async Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel)
    {
        var features = arguments.GetValue(_features);
        WrongUseException.ThrowIf(features < 1, $"--features {features}: must be at least 1");

        await using var runtime = Workplace.Open(session);
        var run = await Workplace.FindRunAsync(runtime, arguments.GetValue(_run)!, cancel);
        var folder = Path.GetFullPath(arguments.GetValue(_out)!);
        var written = await StaticAtlas.WriteAsync(runtime, run, folder, features, session.Time, (_, _) => { }, cancel);
        var page = Path.Combine(folder, "index.html");
        session.Answer(
            new JsonObject
            {
                ["run"] = run,
                ["page"] = page,
                ["features"] = written,
            },
            console => console.WriteUnfolded($"{page}  ({written} features of {run})")
        );
        return ExitCode.Done;
    }
}
