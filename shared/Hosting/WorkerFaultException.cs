namespace ClipSae.Hosting;

/// <summary>This worker could not carry out a unit for a reason of its own, such as a full disk; another may.</summary>
internal sealed class WorkerFaultException(string reason, Exception inner) : Exception(reason, inner);
