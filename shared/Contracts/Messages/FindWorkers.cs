namespace ClipSae.Contracts;

/// <summary>Asks all workers who they are; each answers with <see cref="WorkerPresent"/>.</summary>
/// <param name="Asker">Who asks: machine and process.</param>
public sealed record FindWorkers(string Asker);
