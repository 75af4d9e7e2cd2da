using System.Text.Json.Nodes;

namespace ClipSae.Pipeline;

/// <summary>What the workers' stages take where a run says nothing: workers tell it when they start, and whoever plans a run without having the stages reads it.</summary>
public interface IStageDefaults
{
    /// <summary>Tells the normalized default parameters of a stage, and the version of its algorithm where it is known.</summary>
    Task TellAsync(string stage, JsonObject defaults, int? version = null, CancellationToken cancel = default);

    /// <summary>The version that was told of a stage last; null where none was.</summary>
    Task<int?> FindVersionAsync(string stage, CancellationToken cancel = default);

    /// <summary>What was told of a stage last; null where no worker of it has ever started.</summary>
    Task<JsonObject?> FindAsync(string stage, CancellationToken cancel = default);
}
