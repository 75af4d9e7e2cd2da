namespace ClipSae.Hosting.Worker;

/// <summary>Asks those who have a stage whether its units could be carried out.</summary>
public interface IUnitChecks
{
    /// <summary>Asks a worker of the stage.</summary>
    /// <param name="runInputs">Inputs of the run by name.</param>
    /// <returns>The answer; null where no worker of the stage is there, or none answers.</returns>
    Task<UnitsChecked?> AskAsync(StagePlan stage, IReadOnlyDictionary<string, ArtifactRef> runInputs, CancellationToken cancel);
}
