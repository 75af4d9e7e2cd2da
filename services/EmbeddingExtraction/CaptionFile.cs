using System.Globalization;
using ClipSae.Clip;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.EmbeddingExtraction;

/// <summary>
/// The activations of one hook point of the text tower on one shard, as safetensors: <c>activations</c> [rows, width], <c>image_index</c> [rows] int32 (place
/// in the shard's list of ids), <c>caption_index</c> [rows] int32 (place among the image's captions) and, where the point has tokens, <c>token_index</c> [rows] int32. Rows go
/// by image, caption and token.
/// </summary>
internal sealed class CaptionFile : IDisposable
{
    private readonly HookPoint point;
    private readonly ExtractionOptions options;
    private readonly SafetensorsRowWriter writer;
    private readonly List<int> imageIndex = [];
    private readonly List<int> captionIndex = [];
    private readonly List<int> tokenIndex = [];

    public CaptionFile(string folder, HookPoint point, ClipArchitecture architecture, ExtractionOptions options)
    {
        (this.point, this.options) = (point, options);
        Path = System.IO.Path.Combine(folder, $"{point}.safetensors");
        Width = point.Width(architecture);
        var kept = options.TokensPerImage is TokenSampling.Sampled sampled ? sampled.Count.ToString(CultureInfo.InvariantCulture) : "all";
        var metadata = new Dictionary<string, string> { ["hook_point"] = point.ToString(), ["tokens_per_caption"] = point.HasTokens ? kept : "1" };
        writer = new SafetensorsRowWriter(Path, "activations", options.StoredType, [Width], metadata);
    }

    public string Path { get; }

    public int Width { get; }

    public long Rows => writer.Rows;

    /// <summary>Appends the rows of a batch that are kept.</summary>
    /// <param name="captions">The batch.</param>
    /// <param name="values">What passed the point: [captions, tokens, width] or [captions, width].</param>
    public void Append(IReadOnlyList<TokenizedCaption> captions, torch.Tensor values)
    {
        var rows = new List<long>();
        foreach (var (place, caption) in captions.Index())
        {
            int[] tokens = point.HasTokens ? TokenDraw.Draw(options.TokensPerImage.Kept(caption.Length), caption.Length, options.Seed, caption.Name) : [0];
            foreach (var token in tokens)
            {
                imageIndex.Add(caption.Image);
                captionIndex.Add(caption.Number);
                tokenIndex.Add(token);
                rows.Add((point.HasTokens ? place * values.shape[1] : place) + token);
            }
        }

        using var scope = torch.NewDisposeScope();
        writer.Append(values.reshape(-1, Width).index_select(0, torch.tensor(rows.ToArray(), device: values.device)).cpu());
    }

    /// <summary>Finishes the file.</summary>
    public void Complete()
    {
        using var scope = torch.NewDisposeScope();
        var others = new Dictionary<string, torch.Tensor> { ["image_index"] = Column(imageIndex), ["caption_index"] = Column(captionIndex) };
        if (point.HasTokens)
        {
            others["token_index"] = Column(tokenIndex);
        }

        writer.Complete(others);
    }

    public void Dispose() => writer.Dispose();

    private static torch.Tensor Column(List<int> values) => torch.tensor(values, [values.Count], torch.int32);
}
