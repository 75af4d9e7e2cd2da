using System.Text.Json.Nodes;

namespace ClipSae.Pipeline.Stages;

/// <summary>A stage: a function from parameters and inputs to outputs. Equal parameters and inputs give equal bytes.</summary>
public interface IStage
{
    /// <summary>Name in plans, events and keys, for example <c>sae-training</c>.</summary>
    string Name { get; }

    /// <summary>Raised when outputs change for equal parameters and inputs, so that older results are no longer taken.</summary>
    int AlgorithmVersion { get; }

    /// <summary>False for a stage that reads more than its inputs (the report reads the run's events): it runs again each time.</summary>
    bool Cacheable => true;

    /// <summary>
    /// Whether results do not depend on how many images a forward pass takes, beyond rounding: where the device's memory is short, the unit
    /// is then tried again with half as many (<see cref="StageContext.Smaller"/>).
    /// </summary>
    bool MayHalveBatches => false;

    /// <summary>
    /// Parameters that <see cref="Normalize"/> leaves out where they are not given, so that keys stay those of runs from before there were
    /// such.
    /// </summary>
    IReadOnlyList<string> OptionalParameters => [];

    /// <summary>What a user can do where the device's memory is short, as an order: <c>lower sae.batchSize</c>.</summary>
    string WhenMemoryIsShort => "choose another device";

    /// <summary>
    /// Validates parameters and makes every default explicit, so that a key sees them: a pure function, which leaves what it has given as
    /// it is when it is given it again. <see cref="StageParameters.Normalize{T}"/> does it for an options record.
    /// </summary>
    /// <exception cref="UserErrorException">A key is unknown or a value impossible; the message names the key.</exception>
    JsonObject Normalize(JsonObject parameters);

    /// <summary>
    /// What of this machine decides the results, in addition to parameters and inputs: members that the key has beyond those of the
    /// parameters. It may read files.
    /// </summary>
    /// <param name="parameters">Parameters after <see cref="Normalize"/>.</param>
    JsonObject OfMachine(JsonObject parameters) => [];

    /// <summary>
    /// Finds before its run begins what would make a unit fail, beyond what its parameters say by themselves: whether they fit the run's
    /// inputs. Nothing is computed.
    /// </summary>
    /// <exception cref="UserErrorException">They do not; the message names the parameter or input.</exception>
    Task CheckAsync(UnitCheck unit, CancellationToken cancel) => Task.CompletedTask;

    /// <summary>Runs one unit of the stage.</summary>
    Task<StageResult> RunAsync(StageContext context, CancellationToken cancel);
}
