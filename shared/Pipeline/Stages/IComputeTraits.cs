using System.Text.Json.Nodes;

namespace ClipSae.Pipeline.Stages;

/// <summary>Shows what this process computes with.</summary>
public interface IComputeTraits
{
    /// <param name="parameters">Normalized parameters of the unit: they may name its device.</param>
    ComputeTraits Of(JsonObject parameters);
}
