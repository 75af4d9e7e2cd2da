using System.CommandLine;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Demo;
using ClipSae.Cli.Running;
using ClipSae.Datasets.Sources;
using ClipSae.Datasets.World;

namespace ClipSae.Cli.Verbs;

/// <summary>Shows the whole thing on a small world and a small CLIP, in minutes.</summary>
internal sealed class DemoVerb : Verb
{
    private readonly ValueOption<int> _images = new("--images", "N", "Images to fine-tune on", new SyntheticWorldOptions().TuningImages);

    private readonly ValueOption<int> _evaluationImages = new(
        "--evaluation-images",
        "N",
        "Images in each evaluation set",
        new SyntheticWorldOptions().EvaluationImages
    );

    private readonly RunOptions _run = new();

    public DemoVerb()
        : base(
            "demo",
            "Draw a small world, find what makes a small CLIP believe printed words, fix it, and show before and after.",
            "clipsae demo",
            "clipsae demo --arms none,penalise,penalise-random --seeds 3",
            "clipsae demo --set tuning.steps=200 --json"
        )
    {
        Add([_images, _evaluationImages, .. _run.All]);
    }

    public override async Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel)
    {
        var world = new DemoWorld(
            Path.Combine(session.DataFolder, "demo"),
            new SyntheticWorldOptions
            {
                TrainImages = 0,
                TuningImages = AtLeastOne("--images", arguments.GetValue(_images)),
                EvaluationImages = AtLeastOne("--evaluation-images", arguments.GetValue(_evaluationImages)),
            }
        );
        await using var runtime = Workplace.Open(session);
        var parameters = await _run.ParametersAsync(arguments, Preset.Load(Preset.Demo), session, runtime);
        var folder = world.Make(session, cancel);
        var inputs = new RunInputs(runtime, session);
        await inputs.AddModelAsync(DemoFiles.Model, DemoFiles.Tokenizer, cancel);
        await inputs.AddDatasetAsync(Path.Combine(folder, "tuning"), new ImportOptions(), cancel);
        foreach (var set in Directory.GetDirectories(Path.Combine(folder, "evaluation")).Order(StringComparer.Ordinal))
        {
            await inputs.AddEvaluationAsync(Path.GetFileName(set), new GivenSet(Path.GetFileName(set), set), new ImportOptions(), cancel);
        }

        return await new RunExecution(session, runtime).RunAsync(new RunSpec(inputs.All, parameters, _run.Seed(arguments)), cancel);
    }

    private static int AtLeastOne(string option, int value) =>
        value > 0 ? value : throw new WrongUseException($"{option} {value}: must be 1 or more");
}
