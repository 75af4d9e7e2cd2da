using ClipSae.Clip.Architecture;
using ClipSae.Pipeline.Runs;
using ClipSae.Results.Autoencoders;
using ClipSae.Results.Curation;
using ClipSae.Sae.Encoding;
using ClipSae.Sae.Formats;
using ClipSae.Web.Records;
using static TorchSharp.torch;

namespace ClipSae.Web.Atlas;

/// <summary>One autoencoder of a run with all that is known of its features.</summary>
internal sealed class AtlasVolume
{
    private readonly Lock _reading = new();
    private readonly Func<string> _fetch;
    private SparseAutoencoder? _autoencoder;
    private readonly Dictionary<int, FeatureStatistics> _features;
    private readonly Dictionary<int, SalientFeature> _salient;

    /// <param name="record">The run.</param>
    /// <param name="unit">The unit that trained it.</param>
    /// <param name="statistics">What training measured.</param>
    /// <param name="findings">What curation found; null where the run has none, or none of this autoencoder.</param>
    /// <param name="fetch">Gives the path of the autoencoder's file, when it is first needed.</param>
    public AtlasVolume(RunRecord record, UnitFinished unit, SaeStatistics statistics, SalientFindings? findings, Func<string> fetch)
    {
        (Record, Unit, Statistics, Findings, _fetch) = (record, unit, statistics, findings, fetch);
        _features = statistics.Features.ToDictionary(feature => feature.Feature);
        _salient = findings?.Features.ToDictionary(feature => feature.Feature) ?? [];
    }

    public RunRecord Record { get; }

    public UnitFinished Unit { get; }

    public SaeStatistics Statistics { get; }

    public SalientFindings? Findings { get; }

    /// <exception cref="UserErrorException">Its file is missing or damaged.</exception>
    public SparseAutoencoder Autoencoder
    {
        get
        {
            lock (_reading)
            {
                Tensors.Compute.Device("cpu");
                return _autoencoder ??= SaeFile.Load(_fetch());
            }
        }
    }

    /// <summary>The hook point that it reads.</summary>
    /// <exception cref="UserErrorException">The model has no such point.</exception>
    public HookPoint HookIn(ClipArchitecture architecture) => HookPoint.OfAutoencoder(Unit.Unit).CheckedFor(architecture);

    /// <summary>
    /// Whether its activations have a place in the picture, and the run kept them: those of the class token and the embedding have none.
    /// </summary>
    public bool HasPatches =>
        (Statistics.Hook.StartsWith("mlp@", StringComparison.Ordinal) || Statistics.Hook.StartsWith("residual@", StringComparison.Ordinal))
        && ActivationShards.Of(Record, Statistics.Hook).Count > 0;

    /// <summary>Whether it reads captions: pictures say nothing about its features.</summary>
    public bool ReadsCaptions => RunPlanner.IsOfTexts(Statistics.Hook);

    /// <summary>A feature's statistics; null where it does not exist or never fires.</summary>
    public FeatureStatistics? Feature(int feature) => _features.GetValueOrDefault(feature);

    /// <summary>How much a feature reads text; null where it is not among the salient ones.</summary>
    public SalientFeature? Salience(int feature) => _salient.GetValueOrDefault(feature);

    /// <summary>
    /// The feature that is not salient and fires on the most similar share of rows, for comparison; null if there is no other.
    /// </summary>
    public FeatureStatistics? Twin(FeatureStatistics feature) =>
        Statistics
            .Features.Where(other => other.Feature != feature.Feature && !_salient.ContainsKey(other.Feature))
            .MinBy(other => (Math.Abs(other.Density - feature.Density), other.Feature));

    /// <summary>Features whose decoder directions are most alike to a feature's, with the cosine.</summary>
    public IReadOnlyList<(int Feature, double Cosine)> Neighbours(int feature, int count)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var cosines = Autoencoder.DecoderRows.matmul(Autoencoder.DecoderRows[feature]);
        var (values, indices) = cosines.topk(Math.Min(count + 1, Autoencoder.Latents));
        return
        [
            .. indices
                .data<long>()
                .ToArray()
                .Zip(values.data<float>().ToArray(), (index, cosine) => ((int)index, (double)cosine))
                .Where(other => other.Item1 != feature)
                .Take(count),
        ];
    }
}
