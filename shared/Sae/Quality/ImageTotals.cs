using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Sae.Quality;

/// <summary>
/// What latents do image by image: an image's activation is the largest of its rows. Memory does not grow with the number of images.
/// </summary>
internal sealed class ImageTotals
{
    private readonly Tensor? _embeddings;
    private readonly Tensor _weighted;
    private readonly Tensor _sum;
    private readonly Tensor _squares;
    private readonly Tensor _embeddingSum;
    private Tensor _topValues;
    private Tensor _topImages;
    private long _images;

    /// <param name="embeddings">[images, e], or null.</param>
    public ImageTotals(int latents, int top, Tensor? embeddings)
    {
        var width = embeddings?.shape[1] ?? 0;
        _embeddings = embeddings is null ? null : nn.functional.normalize(embeddings.to(float32), 2, 1);
        _weighted = zeros(latents, width, float64);
        (_sum, _squares, _embeddingSum) = (zeros(latents, float64), zeros(latents, float64), zeros(width, float64));
        (_topValues, _topImages) = (zeros(latents, top), zeros(latents, top, int64));
    }

    /// <param name="latents">[rows, d_sae], whole images.</param>
    /// <param name="imageOfRow">For each row its image; equal ones follow each other.</param>
    public void Add(Tensor latents, int[] imageOfRow)
    {
        var (largest, numbers) = LargestByImage(latents, imageOfRow);
        var index = tensor(numbers);
        _images += numbers.Length;
        KeepTop(largest, index);
        if (_embeddings is null)
        {
            return;
        }

        var unit = _embeddings.index_select(0, index);
        _weighted.AddInPlace(largest.t().mm(unit).to(float64));
        _sum.AddInPlace(largest.to(float64).sum([0]));
        _squares.AddInPlace(largest.to(float64).Squared().sum([0]));
        _embeddingSum.AddInPlace(unit.to(float64).sum([0]));
    }

    /// <summary>
    /// Per latent Σ_{i&lt;j} aᵢaⱼ cos(eᵢ, eⱼ) / Σ_{i&lt;j} aᵢaⱼ; with unit embeddings (‖Σaᵢeᵢ‖² − Σaᵢ²) / ((Σaᵢ)² − Σaᵢ²). NaN where fewer
    /// than two images count; null without embeddings.
    /// </summary>
    public double[]? Monosemanticity()
    {
        if (_embeddings is null)
        {
            return null;
        }

        var pairs = _sum.Squared() - _squares;
        // Rounding leaves a trace where a single image counts.
        var counts = pairs > _squares.Times(1e-9);
        var score = (_weighted.Squared().sum([1]) - _squares) / pairs;
        return score.FilledWhere(counts.logical_not(), double.NaN).data<double>().ToArray();
    }

    /// <summary>The same for a latent that is 1 on every image: the mean cosine of all pairs.</summary>
    public double? MonosemanticityBaseline() =>
        _embeddings is null || _images < 2
            ? null
            : (_embeddingSum.Squared().sum().item<double>() - _images) / ((double)_images * (_images - 1));

    /// <summary>By latent, strongest first, only images on which it fires.</summary>
    public ImageActivation[][] TopImages()
    {
        var (values, numbers) = (_topValues.contiguous().data<float>().ToArray(), _topImages.contiguous().data<long>().ToArray());
        var width = (int)_topValues.shape[1];
        return
        [
            .. Enumerable
                .Range(0, (int)_topValues.shape[0])
                .Select(f =>
                    Enumerable
                        .Range(f * width, width)
                        .Where(i => values[i] > 0)
                        .Select(i => new ImageActivation((int)numbers[i], values[i]))
                        .ToArray()
                ),
        ];
    }

    private static (Tensor Largest, long[] Images) LargestByImage(Tensor latents, int[] imageOfRow)
    {
        var runs = new List<(int Start, int Length)>();
        for (var row = 0; row < imageOfRow.Length; row++)
        {
            if (row > 0 && imageOfRow[row] == imageOfRow[row - 1])
            {
                runs[^1] = (runs[^1].Start, runs[^1].Length + 1);
            }
            else
            {
                runs.Add((row, 1));
            }
        }

        var even = runs.All(run => run.Length == runs[0].Length);
        var largest = even
            ? latents.view(runs.Count, runs[0].Length, -1).amax([1])
            : stack([.. runs.Select(run => latents.narrow(0, run.Start, run.Length).amax([0]))]);
        return (largest, [.. runs.Select(run => (long)imageOfRow[run.Start])]);
    }

    private void KeepTop(Tensor largest, Tensor index)
    {
        var width = (int)_topValues.shape[1];
        var values = cat([_topValues, largest.t()], 1);
        var numbers = cat([_topImages, index.unsqueeze(0).expand(values.shape[0], -1)], 1);
        var (kept, places) = values.topk(width, 1, true, true);
        _topValues.Dispose();
        _topImages.Dispose();
        _topValues = kept.MoveToOuterDisposeScope();
        _topImages = numbers.gather(1, places).MoveToOuterDisposeScope();
    }
}
