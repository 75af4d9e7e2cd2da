namespace ClipSae.Hosting.Worker;

/// <summary>The card of a unit no longer computes in this process; the unit itself may be all right.</summary>
internal sealed class LostCardException(string device, string reason, Exception inner)
    : Exception($"{device} no longer computes: {reason}", inner);
