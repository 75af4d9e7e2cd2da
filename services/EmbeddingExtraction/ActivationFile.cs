using ClipSae.Clip.Architecture;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.EmbeddingExtraction;

/// <summary>
/// The activations of one hook point of the vision tower on one shard, as safetensors: <c>activations</c> [rows, width], <c>image_index</c>
/// [rows] int32 (place in the shard's list of ids) and, where the point has tokens, <c>token_index</c> [rows] int32 (0 is the class token).
/// Rows go by image, then by token.
/// </summary>
internal sealed class ActivationFile : IDisposable
{
    private readonly HookPoint _point;
    private readonly TokenSampling _sampling;
    private readonly int _tokens;
    private readonly long _seed;
    private readonly SafetensorsRowWriter _writer;
    private readonly List<int> _imageIndex = [];
    private readonly List<int> _tokenIndex = [];

    /// <param name="images">Pictures in the shard; where all can be read, the file need not be read again for its digest.</param>
    public ActivationFile(string folder, HookPoint point, ClipArchitecture architecture, ExtractionOptions options, int images)
    {
        (_point, _sampling, _seed, _tokens) = (point, options.TokensPerImage, options.Seed, architecture.VisionTokens);
        Path = System.IO.Path.Combine(folder, $"{point}.safetensors");
        Width = point.Width(architecture);
        Type = options.Dtype.Type();
        var metadata = new Dictionary<string, string>
        {
            ["hook_point"] = point.ToString(),
            ["tokens_per_image"] = point.HasTokens ? $"{_sampling.Kept(architecture.VisionTokens)} of {architecture.VisionTokens}" : "1",
        };
        var others = new Dictionary<string, torch.ScalarType> { ["image_index"] = torch.ScalarType.Int32 };
        if (point.HasTokens)
        {
            others["token_index"] = torch.ScalarType.Int32;
        }

        _writer = new SafetensorsRowWriter(Path, "activations", Type, [Width], metadata, (long)images * RowsPerImage, others);
    }

    public string Path { get; }

    public int Width { get; }

    /// <summary>Precision of the stored activations.</summary>
    public torch.ScalarType Type { get; }

    public int RowsPerImage => _point.HasTokens ? _sampling.Kept(_tokens) : 1;

    public long Rows => _writer.Rows;

    /// <summary>Notes which rows of the next pictures are kept.</summary>
    /// <param name="first">Place of the first picture in the shard's list of ids.</param>
    /// <param name="ids">The pictures' ids.</param>
    /// <returns>Numbers of the rows among [pictures · tokens]; null for all.</returns>
    public long[]? Choose(int first, IReadOnlyList<string> ids)
    {
        if (!_point.HasTokens)
        {
            _imageIndex.AddRange(Enumerable.Range(first, ids.Count));
            return null;
        }

        var rows = new List<long>(ids.Count * RowsPerImage);
        for (var i = 0; i < ids.Count; i++)
        {
            foreach (var token in TokenDraw.Draw(RowsPerImage, _tokens, _seed, ids[i]))
            {
                _imageIndex.Add(first + i);
                _tokenIndex.Add(token);
                rows.Add(((long)i * _tokens) + token);
            }
        }

        return RowsPerImage == _tokens ? null : [.. rows];
    }

    /// <summary>Appends the rows that were chosen, in their order.</summary>
    /// <param name="rows">[rows, width], on the processor.</param>
    public void Append(torch.Tensor rows) => _writer.Append(rows);

    /// <summary>Finishes the file.</summary>
    public void Complete()
    {
        using var scope = torch.NewDisposeScope();
        var others = new Dictionary<string, torch.Tensor> { ["image_index"] = torch.tensor(_imageIndex) };
        if (_point.HasTokens)
        {
            others["token_index"] = torch.tensor(_tokenIndex);
        }

        _writer.Complete(others);
    }

    public void Dispose() => _writer.Dispose();
}
