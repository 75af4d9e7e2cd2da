using System.Text.Json.Nodes;
using ClipSae.Cli.CommandLine;
using ClipSae.Clip.Architecture;
using ClipSae.EmbeddingExtraction;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;
using ClipSae.SaeTraining;

namespace ClipSae.Cli.Running;

/// <summary>
/// How many steps each autoencoder of a run would be trained for, which follows from the number of images: known before hours of work.
/// </summary>
internal static class TrainingRows
{
    /// <summary>Steps below which an autoencoder has hardly left its random start.</summary>
    public const int MinSteps = 30;

    // Who names one of these has chosen the number of steps.
    private static readonly string[] Chosen = ["sae.steps=", "sae.epochs=", "sae.batchSize="];

    /// <summary>Whether at least one autoencoder gets steps enough; those that do not are named.</summary>
    /// <param name="images">Images of the data set.</param>
    /// <param name="assignments">What the user set, in the form of <c>--set</c>.</param>
    /// <param name="given">Hook points whose autoencoders are given.</param>
    /// <exception cref="WrongUseException">None does.</exception>
    public static void Require(
        int images,
        ClipArchitecture architecture,
        JsonObject parameters,
        IReadOnlyDictionary<string, JsonObject> defaults,
        IReadOnlyList<string> assignments,
        IReadOnlyList<string> given,
        Session session
    )
    {
        if (assignments.Any(assignment => Chosen.Any(key => assignment.StartsWith(key, StringComparison.Ordinal))))
        {
            return;
        }

        var stages = RunOptions.StagesOf(parameters, defaults, given);
        var extraction = StageParameters.Bind<ExtractionOptions>(
            stages.Single(stage => stage.Stage == ParameterSections.Extraction).Parameters,
            ParameterSections.Extraction
        );
        var (sae, trained) = RunOptions.TrainedAutoencoders(stages);
        var steps = trained.ToDictionary(
            unit => unit.Name,
            unit =>
            {
                var hook = HookPoint.OfAutoencoder(unit.Name);
                var options = StageParameters.Bind<SaeOptions>(
                    StageParameters.Overlay(sae.Parameters, unit.Parameters),
                    ParameterSections.Sae
                );
                var rows =
                    (long)((1 - options.HeldOutShare) * images)
                    * (hook.HasTokens ? extraction.TokensPerImage.Kept(architecture.VisionTokens) : 1);
                return options.For(hook.Width(architecture), Math.Max(1, rows)).Steps;
            }
        );
        string[] few = [.. steps.Where(unit => unit.Value < MinSteps).Select(unit => $"{unit.Key} {unit.Value}")];
        WrongUseException.ThrowIf(
            few.Length > 0 && few.Length == steps.Count,
            $"--dataset: from {images} images no autoencoder is trained for more than {steps.Values.Max()} steps, which is "
                + $"too few to learn anything: add images, or choose the number with --set sae.epochs=N or --set sae.steps=N"
        );

        if (few.Length > 0)
        {
            session.Tell(
                $"--dataset: {images} images give few steps of training to some autoencoders ({string.Join(", ", few)}): "
                    + "expect little of them"
            );
        }
    }
}
