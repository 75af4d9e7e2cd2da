using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;
using ClipSae.Hosting.Service;
using ClipSae.Pipeline.Runs;
using ClipSae.Results;
using ClipSae.Tensors;
using ClipSae.Web.Records;

namespace ClipSae.Web.Models;

/// <summary>The models of a run that can be asked, with what they are asked by.</summary>
/// <param name="Base">The base.</param>
/// <param name="Tuned">The tuned model; null where the run has none.</param>
/// <param name="TunedName">Its name.</param>
/// <param name="Tokenizer">Of both.</param>
internal sealed record RunModels(ClipModel Base, ClipModel? Tuned, string? TunedName, ClipTokenizer Tokenizer) : IDisposable
{
    private const string TokenFile = "files/" + NullToken.FileName;
    private static readonly IReadOnlyList<string> UsualTemplates = ["a photo of a {}"];

    /// <summary>Whether a run names its model, so that it can be asked.</summary>
    public static bool AreOf(RunRecord record) =>
        record.State.Start?.Spec.Inputs is { } inputs
        && inputs.ContainsKey(InputNames.ModelWeights)
        && inputs.ContainsKey(InputNames.ModelTokenizer);

    /// <summary>Name of a run's tuned model; null where it has none.</summary>
    public static string? TunedOf(RunRecord record) => TunedFiles(record).Count > 0 ? record.Scores!.Tuned!.Name : null;

    /// <summary>Files of a run's tuned model, by output: <c>model</c>, and the learned token where it has one.</summary>
    public static IReadOnlyDictionary<string, ArtifactRef> TunedFiles(RunRecord record) =>
        record.Scores?.Tuned?.Name is { } tuned
        && record.State.Finished(ParameterSections.Conversion).FirstOrDefault(unit => unit.Unit == tuned)?.Outputs is { } converted
            ? converted
                .Where(output => output.Key is "model" or TokenFile)
                .ToDictionary(output => output.Key, output => output.Value, StringComparer.Ordinal)
            : new Dictionary<string, ArtifactRef>();

    /// <summary>
    /// What a run's models choose from: classes and prompts of its evaluation, or the classes of curation where nothing was evaluated.
    /// </summary>
    public static async Task<(IReadOnlyList<string> Classes, IReadOnlyList<string> Templates)> TextsAsync(
        ClipSaeRuntime runtime,
        RunRecord record,
        CancellationToken cancel
    )
    {
        if (
            record.State.Output(ParameterSections.Evaluation, OutputNames.Results) is { } stored
            && await ResultFormats.Evaluation.ReadAsync(stored, runtime.Artifacts.FetchAsync, cancel)
                is { Classes.Count: > 0, Templates.Count: > 0 } results
        )
        {
            return (results.Classes, results.Templates);
        }

        return (
            record.State.Output(ParameterSections.Curation, OutputNames.Salient) is { } found
                ? (await ResultFormats.Salient.ReadAsync(found, runtime.Artifacts.FetchAsync, cancel)).Classes
                : [],
            UsualTemplates
        );
    }

    /// <exception cref="UserErrorException">A model is missing, damaged, or no CLIP.</exception>
    public static async Task<RunModels> LoadAsync(ClipSaeRuntime runtime, RunRecord record, CancellationToken cancel)
    {
        var inputs = record.State.Start!.Spec.Inputs;
        var device = Compute.Device("cpu");
        var before = ClipModel.Load(await runtime.Artifacts.FetchAsync(inputs[InputNames.ModelWeights], cancel), device);
        ClipModel? after = null;
        var files = TunedFiles(record);
        if (files.TryGetValue("model", out var weights))
        {
            after = ClipModel.Load(await runtime.Artifacts.FetchAsync(weights, cancel), device);
            if (files.TryGetValue(TokenFile, out var token))
            {
                using var attached = NullToken.Load(await runtime.Artifacts.FetchAsync(token, cancel));
                after.Attach(attached);
            }
        }

        return new RunModels(
            before,
            after,
            TunedOf(record),
            ClipTokenizer.Load(await runtime.Artifacts.FetchAsync(inputs[InputNames.ModelTokenizer], cancel))
        );
    }

    public void Dispose()
    {
        Base.Dispose();
        Tuned?.Dispose();
    }
}
