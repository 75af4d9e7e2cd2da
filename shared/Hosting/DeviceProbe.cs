namespace ClipSae.Hosting;

/// <summary>Looks at the device that stages compute on; registered by the packages of stages that compute.</summary>
/// <param name="Require">Computes something small on the named device; throws where that cannot be done.</param>
/// <param name="UsedBytes">Memory in use on the named device, in bytes; null where that cannot be told.</param>
public sealed record DeviceProbe(Action<string> Require, Func<string, long?> UsedBytes);
