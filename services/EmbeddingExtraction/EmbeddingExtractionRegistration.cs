using ClipSae.Hosting.Service;
using ClipSae.Tensors;
using Microsoft.Extensions.DependencyInjection;

namespace ClipSae.EmbeddingExtraction;

/// <summary>Adds the service to a process.</summary>
public static class EmbeddingExtractionRegistration
{
    /// <summary>Adds its stage.</summary>
    public static IServiceCollection AddEmbeddingExtraction(this IServiceCollection services) =>
        services.AddStage<EmbeddingExtractionStage>(ComputeProbe.Instance);
}
