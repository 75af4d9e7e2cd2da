using System.Text.Json.Nodes;
using ClipSae.Contracts;

namespace ClipSae.Pipeline;

/// <summary>A stage: a function from parameters and inputs to outputs. Equal parameters and inputs give equal bytes.</summary>
public interface IStage
{
    /// <summary>Name in plans, events and keys, for example <c>sae-training</c>.</summary>
    string Name { get; }

    /// <summary>Raised when outputs change for equal parameters and inputs, so that older results are no longer taken.</summary>
    int AlgorithmVersion { get; }

    /// <summary>False for a stage that reads more than its inputs (the report reads the run's events): it runs anew each time.</summary>
    bool Cacheable => true;

    /// <summary>Validates parameters and makes every default explicit, so that a key sees them. <see cref="StageParameters.Normalize{T}"/> does it for an options record.</summary>
    /// <exception cref="UserErrorException">A key is unknown or a value impossible; the message names the key.</exception>
    JsonObject Normalize(JsonObject parameters);

    /// <summary>Runs one unit of the stage.</summary>
    Task<StageResult> RunAsync(StageContext context, CancellationToken cancel);
}
