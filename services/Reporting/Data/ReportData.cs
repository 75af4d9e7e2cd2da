using System.Text.Json.Nodes;
using ClipSae.Datasets.Import;
using ClipSae.Results.Conversion;
using ClipSae.Results.Curation;
using ClipSae.Results.Evaluation;
using ClipSae.Results.Tuning;

namespace ClipSae.Reporting.Data;

/// <summary>All that a page shows. Any part may be missing: the page then leaves it out.</summary>
public sealed record ReportData
{
    /// <summary>Name of the run.</summary>
    public required string Run { get; init; }

    /// <summary>When the page was made.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The run's units in the order they were started.</summary>
    public IReadOnlyList<UnitRecord> Units { get; init; } = [];

    /// <summary>Units that the run continued without.</summary>
    public IReadOnlyList<MissingUnit> Missing { get; init; } = [];

    /// <summary>Parameters by section, as the run was started with.</summary>
    public JsonObject Parameters { get; init; } = [];

    public long? Seed { get; init; }

    /// <summary>The run that this one replays.</summary>
    public string? Origin { get; init; }

    /// <summary>What the run was given.</summary>
    public IReadOnlyDictionary<string, ArtifactRef> Inputs { get; init; } = new Dictionary<string, ArtifactRef>();

    /// <summary>Metrics of the zero-shot evaluation.</summary>
    public EvaluationResults? Results { get; init; }

    /// <summary>Images with the probabilities of base and tuned.</summary>
    public IReadOnlyList<Example> Examples { get; init; } = [];

    /// <summary>Text-salient features, causal sweep, salient neurons.</summary>
    public SalientFindings? Salient { get; init; }

    /// <summary>Metrics of attack-curation; null where it has not finished.</summary>
    public CurationMetrics? Curation { get; init; }

    /// <summary>Metrics of fine-tuning by unit, in the order they were started.</summary>
    public IReadOnlyList<KeyValuePair<string, TuningMetrics>> Tuning { get; init; } = [];

    /// <summary>Autoencoders by hook point: metrics and statistics.</summary>
    public IReadOnlyList<AutoencoderRecord> Autoencoders { get; init; } = [];

    /// <summary>Curated attacks to show.</summary>
    public IReadOnlyList<AttackImage> Attacks { get; init; } = [];

    /// <summary>All curated attacks together; null where the run has none.</summary>
    public CuratedPrint? Curated { get; init; }

    /// <summary>Training curves by unit.</summary>
    public IReadOnlyDictionary<string, TuningCurves> Curves { get; init; } =
        new SortedDictionary<string, TuningCurves>(StringComparer.Ordinal);

    /// <summary>Proofs of converted weights by unit.</summary>
    public IReadOnlyDictionary<string, ConversionProof> Proofs { get; init; } =
        new SortedDictionary<string, ConversionProof>(StringComparer.Ordinal);

    /// <summary>The data set's manifest.</summary>
    public DatasetManifest? Dataset { get; init; }

    /// <summary>Pictures of the data set by id, as data URIs: the top images of features.</summary>
    public IReadOnlyDictionary<string, string> Images { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// Ids of those of <see cref="Images"/> that are recorded as containing print; null where no pictures were looked for.
    /// </summary>
    public IReadOnlySet<string>? Printed { get; init; }

    /// <summary>The stages with the versions of their algorithms, in the plan's order.</summary>
    public IReadOnlyList<StageVersion> Stages { get; init; } = [];

    /// <summary>Names and versions of what made the page.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Versions { get; init; } = [];
}
