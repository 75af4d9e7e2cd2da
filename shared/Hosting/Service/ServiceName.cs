namespace ClipSae.Hosting.Service;

/// <summary>What a process of the distributed system is called in spans, metrics and logs.</summary>
internal sealed record ServiceName(string Value);
