using System.Text;
using ClipSae.Artifacts;
using ClipSae.Cli.Output;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Tokenizers;
using ClipSae.Pipeline.Runs;
using ClipSae.WeightConversion;
using ClipSae.WeightConversion.Targets;

namespace ClipSae.Cli.Running;

/// <summary>
/// A run's own folder: next to its events, what a person looks for under plain names: the report, and the tuned weights with vocabulary,
/// configuration and model card.
/// </summary>
internal sealed class RunFolder(string dataFolder, string run)
{
    /// <summary>The tuned weights' file.</summary>
    public const string TunedName = "tuned.safetensors";

    /// <summary>The run in whose folder a file is; null where it is elsewhere.</summary>
    public static string? RunOf(string dataFolder, string file) =>
        System.IO.Path.GetRelativePath(System.IO.Path.Combine(dataFolder, "runs"), file).Split(System.IO.Path.DirectorySeparatorChar)
            is [not "..", _] parts
            ? parts[0]
            : null;

    public string Path { get; } = System.IO.Path.Combine(dataFolder, "runs", run);

    /// <summary>
    /// Puts report, tuned weights and what they are used with into the folder and gives the report's path; null if there is no report.
    /// </summary>
    public async Task<string?> ExportAsync(IArtifactStore artifacts, RunSummary summary, CancellationToken cancel)
    {
        var outputs = summary.TunedUnit is { } unit ? summary.State.Finished(ParameterSections.Conversion, unit)?.Outputs : null;
        if (outputs?.GetValueOrDefault("model") is { } tuned)
        {
            Place(await artifacts.FetchAsync(tuned, cancel), TunedName);
            await DescribeAsync(artifacts, outputs, cancel);
            if (outputs.GetValueOrDefault("files/" + NullToken.FileName) is { } token)
            {
                Place(await artifacts.FetchAsync(token, cancel), NullToken.FileName);
            }

            if (summary.State.Start?.Spec.Inputs.GetValueOrDefault(InputNames.ModelTokenizer) is { } vocabulary)
            {
                // What it is, its content says; the name only has to be one that is looked for next to weights.
                Place(
                    await artifacts.FetchAsync(vocabulary, cancel),
                    ClipTokenizer.IsVocabulary(vocabulary.Name) ? vocabulary.Name : "bpe.txt"
                );
            }
        }

        var report = summary.State.Output(ParameterSections.Report, OutputNames.Report);
        return report is null ? null : Place(await artifacts.FetchAsync(report, cancel), "report.html");
    }

    // As open_clip describes weights under OpenAI's keys, or transformers a SigLIP's, and the card that the conversion wrote, which knows
    // the file by its name there.
    private async Task DescribeAsync(IArtifactStore artifacts, IReadOnlyDictionary<string, ArtifactRef> outputs, CancellationToken cancel)
    {
        var architecture = ModelFiles.Architecture(System.IO.Path.Combine(Path, TunedName));
        if (architecture.Family.HasOpenAiKeys)
        {
            Write(OpenClipTarget.DescriptionName, OpenClipTarget.Describe(architecture));
        }
        else
        {
            foreach (var name in new[] { "config.json", "preprocessor_config.json" })
            {
                Place(await artifacts.FetchAsync(outputs[$"files/{new HuggingFaceTarget().Loadable[0]}/{name}"], cancel), name);
            }
        }

        if (outputs.GetValueOrDefault($"files/{Conversion.CardName}") is { } card)
        {
            var text = await File.ReadAllTextAsync(await artifacts.FetchAsync(card, cancel), cancel);
            Write(Conversion.CardName, text.Replace(OpenAiTarget.FileName, TunedName, StringComparison.Ordinal));
        }

        if (outputs.GetValueOrDefault($"files/{Conversion.ProvenanceName}") is { } provenance)
        {
            Place(await artifacts.FetchAsync(provenance, cancel), Conversion.ProvenanceName);
        }
    }

    private void Write(string name, string text) => AtomicFile.Write(System.IO.Path.Combine(Path, name), Encoding.UTF8.GetBytes(text));

    private string Place(string source, string name)
    {
        var target = System.IO.Path.Combine(Path, name);
        return DiskErrors.Guard(target, null, () =>
        {
            var temporary = AtomicFile.TemporaryFor(target);
            File.Copy(source, temporary);
            File.Move(temporary, target, overwrite: true);
            return target;
        });
    }
}
