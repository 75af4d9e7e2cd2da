using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ClipSae.FineTuning.Data;

/// <summary>Whether image embeddings still distinguish pictures. Where a model collapses, all point one way.</summary>
/// <param name="MeanCosine">Mean cosine of two different pictures' embeddings.</param>
/// <param name="Rank">Effective number of directions of the centred, normalised embeddings: (tr C)² / tr C² of their covariance C, at least
/// 1.</param>
public sealed record EmbeddingHealth(double MeanCosine, double Rank)
{
    /// <param name="embeddings">[images, embed], not normalised, at least 2 images for a cosine.</param>
    public static EmbeddingHealth Of(Tensor embeddings)
    {
        using var scope = NewDisposeScope();
        var unit = functional.normalize(embeddings.to(ScalarType.Float32), dim: 1);
        var count = unit.shape[0];
        var sum = unit.sum([0]);
        var cosine = count < 2 ? 1 : (sum.dot(sum).item<float>() - count) / ((double)count * (count - 1));
        var centred = unit - unit.mean([0], keepdim: true);
        var covariance = centred.t().matmul(centred);
        var trace = (double)covariance.trace().item<float>();
        var squares = (double)(covariance * covariance).sum().item<float>();
        return new EmbeddingHealth(cosine, squares <= 0 ? 1 : Math.Max(1, trace * trace / squares));
    }
}
