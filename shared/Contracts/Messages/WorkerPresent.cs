namespace ClipSae.Contracts;

/// <summary>A process that takes units.</summary>
/// <param name="Worker">Machine and process, as facts name it.</param>
/// <param name="Software">Version of ClipSae.</param>
/// <param name="Stages">The stages whose units it takes, with the version of their algorithms.</param>
/// <param name="Threads">Threads of tensor work.</param>
/// <param name="Device">The device that it computes on.</param>
/// <param name="AtWork">Units that it works on, <c>run: stage/unit</c>.</param>
/// <param name="Unfit">Why it takes none; null where it does.</param>
public sealed record WorkerPresent(
    string Worker,
    string Software,
    IReadOnlyDictionary<string, int> Stages,
    int Threads,
    string Device,
    IReadOnlyList<string> AtWork,
    string? Unfit = null
);
