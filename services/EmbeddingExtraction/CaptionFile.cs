using System.Globalization;
using ClipSae.Clip.Architecture;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.EmbeddingExtraction;

/// <summary>
/// The activations of one hook point of the text tower on one shard, as safetensors: <c>activations</c> [rows, width], <c>image_index</c>
/// [rows] int32 (place in the shard's list of ids), <c>caption_index</c> [rows] int32 (place among the image's captions) and, where the
/// point has tokens, <c>token_index</c> [rows] int32. Rows go by image, caption and token.
/// </summary>
internal sealed class CaptionFile : IDisposable
{
    private readonly HookPoint _point;
    private readonly ExtractionOptions _options;
    private readonly SafetensorsRowWriter _writer;
    private readonly List<int> _imageIndex = [];
    private readonly List<int> _captionIndex = [];
    private readonly List<int> _tokenIndex = [];

    public CaptionFile(string folder, HookPoint point, ClipArchitecture architecture, ExtractionOptions options)
    {
        (_point, _options) = (point, options);
        Path = System.IO.Path.Combine(folder, $"{point}.safetensors");
        Width = point.Width(architecture);
        var kept = options.TokensPerImage is TokenSampling.Sampled sampled ? sampled.Count.ToString(CultureInfo.InvariantCulture) : "all";
        var metadata = new Dictionary<string, string>
        {
            ["hook_point"] = point.ToString(),
            ["tokens_per_caption"] = point.HasTokens ? kept : "1",
        };
        _writer = new SafetensorsRowWriter(Path, "activations", options.Dtype.Type(), [Width], metadata);
    }

    public string Path { get; }

    public int Width { get; }

    public long Rows => _writer.Rows;

    /// <summary>Appends the rows of a batch that are kept.</summary>
    /// <param name="captions">The batch.</param>
    /// <param name="values">What passed the point: [captions, tokens, width] or [captions, width].</param>
    public void Append(IReadOnlyList<TokenizedCaption> captions, torch.Tensor values)
    {
        var rows = new List<long>();
        foreach (var (place, caption) in captions.Index())
        {
            int[] tokens = _point.HasTokens
                ? TokenDraw.Draw(_options.TokensPerImage.Kept(caption.Length), caption.Length, _options.Seed, caption.Name)
                : [0];
            foreach (var token in tokens)
            {
                _imageIndex.Add(caption.Image);
                _captionIndex.Add(caption.Number);
                _tokenIndex.Add(token);
                rows.Add((_point.HasTokens ? place * values.shape[1] : place) + token);
            }
        }

        using var scope = torch.NewDisposeScope();
        _writer.Append(values.reshape(-1, Width).index_select(0, torch.tensor(rows.ToArray(), device: values.device)).cpu());
    }

    /// <summary>Finishes the file.</summary>
    public void Complete()
    {
        using var scope = torch.NewDisposeScope();
        var others = new Dictionary<string, torch.Tensor>
        {
            ["image_index"] = Column(_imageIndex),
            ["caption_index"] = Column(_captionIndex),
        };
        if (_point.HasTokens)
        {
            others["token_index"] = Column(_tokenIndex);
        }

        _writer.Complete(others);
    }

    public void Dispose() => _writer.Dispose();

    private static torch.Tensor Column(List<int> values) => torch.tensor(values, [values.Count], torch.int32);
}
