using System.CommandLine;
using System.CommandLine.Help;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Verbs;

namespace ClipSae.Cli;

/// <summary>The command with all its verbs.</summary>
internal static class CommandTree
{
    public static RootCommand Create()
    {
        var root = new RootCommand("Makes a CLIP model resist words printed on images, and shows the evidence.");
        foreach (var option in GlobalOptions.All)
        {
            root.Add(option);
        }

        foreach (var verb in Verbs())
        {
            root.Add(verb);
        }

        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExamples((HelpAction)help.Action!);
        return root;
    }

    private static IEnumerable<Verb> Verbs() =>
        [
            new DemoVerb(),
            new RunVerb(),
            new RepairVerb(),
            new SweepVerb(),
            new SubmitVerb(),
            new RunsVerb(),
            new ShowVerb(),
            new EventsVerb(),
            new WatchVerb(),
            new UiVerb(),
            new AtlasVerb(),
            new WorkersVerb(),
            new ReplayVerb(),
            new RetryVerb(),
            new ExplainVerb(),
            new CancelVerb(),
            new PruneVerb(),
            new MakeDatasetVerb(),
            new AttackSetVerb(),
            new PretrainVerb(),
            new EmbedVerb(),
            new TokenizeVerb(),
            new EvaluateVerb(),
            new ConvertVerb(),
            new WiseFtVerb(),
            new InterpolateVerb(),
            new StretchVerb(),
            new TransplantVerb(),
            new DoctorVerb(),
        ];
}
