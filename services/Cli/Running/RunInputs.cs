using ClipSae.Artifacts;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Output;
using ClipSae.Clip.Architecture;
using ClipSae.Datasets.Import;
using ClipSae.Datasets.Sources;
using ClipSae.Hosting.Service;
using ClipSae.Pipeline.Runs;
using ClipSae.Sae.Formats;
using ClipSae.ZeroShotEvaluation.Sets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ClipSae.Cli.Running;

/// <summary>Brings what a run works on into the artifact store, under the names that plans use.</summary>
internal sealed class RunInputs(ClipSaeRuntime runtime, Session session, SeenImages? seen = null)
{
    private readonly IArtifactStore _store = runtime.Artifacts;
    private readonly ILogger _log = runtime.Services.GetRequiredService<ILoggerFactory>().CreateLogger("import");
    private readonly SortedDictionary<string, ArtifactRef> _inputs = new(StringComparer.Ordinal);
    private readonly SeenImages _seen = seen ?? new();

    public IReadOnlyDictionary<string, ArtifactRef> All => _inputs;

    /// <summary>The data set that is worked on.</summary>
    public async Task<ImportedDataset> AddDatasetAsync(string folder, ImportOptions options, CancellationToken cancel)
    {
        var imported = await AddFolderAsync(InputNames.Dataset + ":", "dataset", folder, options, cancel);
        _seen.AddTraining("--dataset", imported.Images);
        return imported;
    }

    /// <summary>A set to evaluate on: labelled, or captioned where its name asks for retrieval.</summary>
    /// <param name="chooses">Whether a model is chosen on it rather than scored alone.</param>
    /// <exception cref="WrongUseException">Pictures of it were trained on, or a model was chosen on them.</exception>
    public async Task<DatasetManifest> AddEvaluationAsync(
        string name,
        GivenSet set,
        ImportOptions options,
        CancellationToken cancel,
        bool chooses = false
    )
    {
        var imported = await AddFolderAsync(
            $"{InputNames.Evaluation}:{name}/",
            name,
            set.Folder,
            options with
            {
                LabelsNeeded = !EvaluationProtocol.IsRetrieval(name),
                CaptionFile = set.File,
            },
            cancel
        );
        var given = $"{(chooses ? "--validation" : "--evaluation")} {set.Name}";
        _seen.Refuse(given, imported.Images, chooses);
        if (chooses)
        {
            _seen.AddValidation(given, imported.Images);
        }

        return imported.Content;
    }

    /// <summary>A checkpoint and its vocabulary.</summary>
    /// <exception cref="UserErrorException">The files are no checkpoint, or do not belong together.</exception>
    public async Task AddModelAsync(string weights, string tokenizer, CancellationToken cancel)
    {
        ModelFiles.Check(weights, tokenizer, session);
        _inputs[InputNames.ModelWeights] = await ModelFiles.PutAsync(runtime, weights, Path.GetFileName(weights), cancel);
        _inputs[InputNames.ModelTokenizer] = await _store.PutFileAsync(tokenizer, Path.GetFileName(tokenizer), "text/plain", cancel);
    }

    /// <summary>An autoencoder that was trained elsewhere.</summary>
    /// <exception cref="WrongUseException">It cannot be read, or does not fit the model.</exception>
    public async Task AddAutoencoderAsync(GivenAutoencoder given, ClipArchitecture architecture, CancellationToken cancel)
    {
        var scratch = runtime.Scratch.NewFolder();
        try
        {
            var path = Path.Combine(scratch, "sae.safetensors");
            using (var sae = given.Load(architecture))
            {
                SaeFile.Save(sae, path);
            }

            _inputs[RunPlanner.GivenAutoencoderPrefix + given.Hook] = await _store.TakeFileAsync(
                path,
                Path.GetFileName(Path.TrimEndingDirectorySeparator(given.Path)),
                MediaTypes.Safetensors,
                cancel
            );
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    private async Task<ImportedDataset> AddFolderAsync(
        string prefix,
        string name,
        string folder,
        ImportOptions options,
        CancellationToken cancel
    )
    {
        using var progress = new CountBar(session, $"{name}: images read");
        var imported = await DatasetImporter.ImportAsync(
            folder,
            options with
            {
                Name = name,
            },
            _store,
            _log,
            progress,
            runtime.Scratch.NewFolder(),
            progress.Expect,
            cancel
        );
        // The folder's name is for people; a manifest is named alike for every data set, so that equal ones have one digest.
        _inputs[prefix + "manifest"] = imported.Manifest with
        {
            Name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))),
        };
        for (var shard = 0; shard < imported.Shards.Count; shard++)
        {
            _inputs[FormattableString.Invariant($"{prefix}shards/{shard:D5}")] = imported.Shards[shard];
        }

        return imported;
    }
}
