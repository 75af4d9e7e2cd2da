namespace ClipSae.Contracts;

/// <summary>What a worker says about one unit. The order in which facts of different units arrive means nothing.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Unit">The unit of the stage.</param>
/// <param name="Worker">Who says it: machine and process.</param>
public abstract record UnitFact(string Stage, string Unit, string Worker) : RunEvent;
