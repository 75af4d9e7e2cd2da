using ClipSae.Artifacts;
using ClipSae.Clip;
using ClipSae.Pipeline;

namespace ClipSae.Cli;

/// <summary>A run's own folder: beside its events, what a person looks for — the report, and the tuned weights with the vocabulary that they are used with — under plain names.</summary>
internal sealed class RunFolder(string dataFolder, string run)
{
    public string Path { get; } = System.IO.Path.Combine(dataFolder, "runs", run);

    /// <summary>Puts report, tuned weights and their vocabulary into the folder and gives the report's path; null where there is no report.</summary>
    public async Task<string?> ExportAsync(IArtifactStore artifacts, RunSummary summary, CancellationToken cancel)
    {
        var tuned = summary.TunedUnit is { } unit ? summary.Finished(ParameterSections.Conversion, unit)?.Outputs.GetValueOrDefault("model") : null;
        if (tuned is not null)
        {
            Place(await artifacts.FetchAsync(tuned, cancel), "tuned.safetensors");
            if (summary.Started?.Inputs.GetValueOrDefault("model:tokenizer") is { } vocabulary)
            {
                // What it is its content tells; the name only has to be one that is looked for beside weights.
                Place(await artifacts.FetchAsync(vocabulary, cancel), ClipTokenizer.IsVocabulary(vocabulary.Name) ? vocabulary.Name : "bpe.txt");
            }
        }

        var report = summary.Output(ParameterSections.Report, "report");
        return report is null ? null : Place(await artifacts.FetchAsync(report, cancel), "report.html");
    }

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
