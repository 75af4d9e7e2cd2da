using System.Text.Json.Nodes;
using ClipSae.Cli.CommandLine;
using ClipSae.Clip.Architecture;
using ClipSae.Datasets.Import;
using ClipSae.FineTuning.Arms;
using ClipSae.FineTuning.Settings;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;
using ClipSae.SaeTraining;
using ClipSae.WeightConversion;
using ClipSae.WeightConversion.Targets;

namespace ClipSae.Cli.Running;

/// <summary>
/// What a stage would refuse only after hours of others, held against the model and the data set before anything is computed.
/// </summary>
internal static class EarlyChecks
{
    /// <summary>
    /// Whether what is asked for fits the model: hook points of autoencoders are there, and k is within their width; arms, loss and formats
    /// are there for its family.
    /// </summary>
    /// <exception cref="WrongUseException">One does not.</exception>
    /// <param name="given">Hook points whose autoencoders are given.</param>
    public static void RequireFit(
        ClipArchitecture architecture,
        JsonObject parameters,
        IReadOnlyDictionary<string, JsonObject> defaults,
        IReadOnlyList<string> given
    )
    {
        try
        {
            var stages = RunOptions.StagesOf(parameters, defaults, given);
            foreach (var plan in stages)
            {
                RequireFit(architecture.Family, plan);
            }

            if (
                stages.FirstOrDefault(plan => plan.Stage == ParameterSections.Conversion) is { } conversion
                && !conversion.Inputs.Any(input => input.As == InputNames.Base)
            )
            {
                StageParameters.Bind<ConversionOptions>(conversion.Parameters, conversion.Stage).RequireNoAdapter();
            }

            var (stage, trained) = RunOptions.TrainedAutoencoders(stages);
            foreach (var unit in trained)
            {
                var width = HookPoint.OfAutoencoder(unit.Name).CheckedFor(architecture).Width(architecture);
                StageParameters
                    .Bind<SaeOptions>(StageParameters.Overlay(stage.Parameters, unit.Parameters), ParameterSections.Sae)
                    .For(width, rows: int.MaxValue);
            }
        }
        catch (UserErrorException error)
        {
            throw new WrongUseException(error.Message, error);
        }
    }

    private static void RequireFit(ClipFamily family, StagePlan plan)
    {
        foreach (var unit in plan.Units)
        {
            var all = StageParameters.Overlay(plan.Parameters, unit.Parameters);
            if (plan.Stage == ParameterSections.Tuning)
            {
                var options = StageParameters.Bind<FineTuningOptions>(all, plan.Stage);
                TuningArm.Parse(options.Arm).RequireFit(family, options.Loss);
            }
            else if (plan.Stage == ParameterSections.Conversion)
            {
                // In a run openai stands for the family's own plain weights.
                var targets = StageParameters.Bind<ConversionOptions>(all, plan.Stage).Targets;
                ConversionTarget.Require(targets.Where(target => target is not OpenAiTarget), family, "conversion.formats");
            }
        }
    }

    /// <summary>
    /// Whether there are classes to attack, by names that a model can know. Curation asks for them too, but only after all that comes
    /// before it.
    /// </summary>
    /// <exception cref="WrongUseException">There are not.</exception>
    public static void RequireClasses(DatasetManifest dataset, JsonObject parameters)
    {
        var section = ParameterSections.SectionOf(ParameterSections.Curation);
        if (parameters[section]?["classes"] is JsonArray { Count: > 0 })
        {
            return;
        }

        WrongUseException.ThrowIf(
            dataset.Labels.Count < 2,
            $"--dataset: the images are labelled with {dataset.Labels.Count} class{(dataset.Labels.Count == 1 ? "" : "es")} "
                + $"and attacks need two: "
                + $"use one folder per class, or list what the captions show, as in --set {section}.classes=cat,dog"
        );
        WrongUseException.ThrowIf(
            dataset.Labels.Keys.All(label =>
                label.All(char.IsAsciiDigit) || (label.Length == 9 && label[0] == 'n' && label[1..].All(char.IsAsciiDigit))
            ),
            $"--dataset: the labels ({string.Join(", ", dataset.Labels.Keys.Take(2))}, …) are codes, "
                + $"which no model knows as class names: name the folders or labels after what the pictures show"
        );
    }

    /// <summary>Whether the pairs can teach anything, and are enough for a batch.</summary>
    /// <param name="batch">Pairs a step, as the section <c>tuning</c> or a command sets it.</param>
    /// <param name="key">What sets it.</param>
    /// <param name="validation">Pairs that are kept for validation.</param>
    /// <exception cref="WrongUseException">They cannot, or are not.</exception>
    public static void RequirePairs(DatasetVariety variety, int? batch, string key, int validation = 0)
    {
        if (variety.Hindrance is { } hindrance)
        {
            throw new WrongUseException(
                $"--dataset: {hindrance}, and a model learns nothing from such pairs; give captions that say what each picture shows"
            );
        }

        if (batch > variety.Pairs - validation)
        {
            var kept = validation > 0 ? $", {validation} of them kept for validation" : "";
            throw new WrongUseException(
                $"{key}: a batch of {batch} is larger than the data set, "
                    + $"which has {variety.Pairs} usable images{kept}; lower it or add images"
            );
        }
    }
}
