namespace ClipSae.Contracts;

/// <summary>
/// Looks at the device that stages compute on: what who hosts them asks of what computes, neither of which knows the other.
/// </summary>
/// <param name="Prepare">Readies the library that computes, before anything else here: for the named device, or for whatever the machine
/// has where that is null; from the folder in the second argument, or the one that is found where that is null.</param>
/// <param name="Require">Computes something small on the named device; throws where that cannot be done.</param>
/// <param name="UsedBytes">Memory in use on the named device, in bytes; null where that cannot be known.</param>
/// <param name="Threads">Threads of tensor work; null where they are not known.</param>
/// <param name="Relieve">Gives back what much-used memory has kept for later, once that is a lot; for the time between two units.</param>
public sealed record DeviceProbe(
    Action<string?, string?> Prepare,
    Action<string> Require,
    Func<string, long?> UsedBytes,
    Func<int>? Threads = null,
    Action? Relieve = null
);
