using System.Text.Json.Nodes;
using ClipSae.Cli.CommandLine;
using ClipSae.Datasets.Sources;
using ClipSae.Hosting.Service;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;
using ClipSae.ZeroShotEvaluation.Models;
using ClipSae.ZeroShotEvaluation.Sets;
using ClipSae.ZeroShotEvaluation.Settings;

namespace ClipSae.Cli.Running;

/// <summary>What verbs that score models by themselves need: options as the command line changes them, and sets in the store.</summary>
internal sealed class EvaluationInputs(ClipSaeRuntime runtime, Session session)
{
    private readonly SeenImages _seen = new();

    /// <summary>The evaluation's parameters with assignments applied.</summary>
    /// <exception cref="WrongUseException">An assignment cannot be carried out.</exception>
    public Task<JsonObject> ParametersAsync(IEnumerable<string> assignments) =>
        Workplace.CheckedAsync(() =>
        {
            var defaults = runtime.DefaultParameters();
            var changed = ParameterOverrides.Apply(session.OnDevice([], defaults), assignments, defaults)[
                ParameterSections.SectionOf(ParameterSections.Evaluation)
            ];
            return Task.FromResult(runtime.Stages[ParameterSections.Evaluation].Normalize(changed as JsonObject ?? []));
        });

    /// <summary>The same as options.</summary>
    public async Task<EvaluationOptions> OptionsAsync(IEnumerable<string> assignments) =>
        StageParameters.Bind<EvaluationOptions>(await ParametersAsync(assignments), ParameterSections.Evaluation);

    /// <summary>All that was brought into the store so far, by name.</summary>
    public SortedDictionary<string, ArtifactRef> All { get; } = new(StringComparer.Ordinal);

    /// <summary>
    /// From here on sets are held against what a run's own weights were trained on; weights from elsewhere say nothing of it.
    /// </summary>
    /// <param name="weights">Full path of a checkpoint.</param>
    public Task AddTrainingOfAsync(string weights, CancellationToken cancel) => _seen.AddTrainingOfAsync(weights, runtime, session, cancel);

    /// <summary>Brings a set into the store.</summary>
    /// <param name="name">Name under which it is scored; its beginning says the protocol.</param>
    /// <param name="chooses">Whether a model is chosen on it; those come first.</param>
    /// <exception cref="WrongUseException">Pictures of it were trained on (<see cref="AddTrainingOfAsync"/>), or a model was chosen on
    /// them.</exception>
    public async Task<EvaluationSet> SetAsync(
        string name,
        GivenSet given,
        ImportOptions import,
        CancellationToken cancel,
        bool chooses = false
    )
    {
        var inputs = new RunInputs(runtime, session, _seen);
        var manifest = await inputs.AddEvaluationAsync(name, given, import, cancel, chooses);
        foreach (var (input, artifact) in inputs.All)
        {
            All[input] = artifact;
        }

        var shards = new List<string>();
        foreach (var (_, shard) in inputs.All.Where(input => input.Key.Contains("/shards/", StringComparison.Ordinal)))
        {
            shards.Add(await runtime.Artifacts.FetchAsync(shard, cancel));
        }

        return new EvaluationSet(name, shards, manifest.Problems);
    }

    /// <summary>Brings a checkpoint into the store.</summary>
    public async Task<ModelUnderTest> ModelAsync(string name, string file, CancellationToken cancel)
    {
        var artifact = All[$"model:{name}"] = await ModelFiles.PutAsync(runtime, file, Path.GetFileName(file), cancel);
        return new ModelUnderTest(name, await runtime.Artifacts.FetchAsync(artifact, cancel), Digest: artifact.Digest);
    }

    /// <summary>Brings a vocabulary into the store and gives its digest.</summary>
    public async Task<string> TokenizerAsync(string file, CancellationToken cancel) =>
        (All["tokenizer"] = await runtime.Artifacts.PutFileAsync(file, Path.GetFileName(file), "text/plain", cancel)).Digest;
}
