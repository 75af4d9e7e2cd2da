using ClipSae.Clip;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.EmbeddingExtraction;

/// <summary>
/// The activations of one hook point on one shard, as safetensors: <c>activations</c> [rows, width], <c>image_index</c> [rows] int32 (place
/// in the shard's list of ids) and, where the point has tokens, <c>token_index</c> [rows] int32 (0 is the class token). Rows go
/// by image, then by token.
/// </summary>
internal sealed class ActivationFile : IDisposable
{
    private readonly HookPoint point;
    private readonly TokenSampling sampling;
    private readonly long seed;
    private readonly SafetensorsRowWriter writer;
    private readonly List<int> imageIndex = [];
    private readonly List<int> tokenIndex = [];

    public ActivationFile(
        string folder, HookPoint point, ClipArchitecture architecture, TokenSampling sampling, long seed, torch.ScalarType type)
    {
        (this.point, this.sampling, this.seed) = (point, sampling, seed);
        Path = System.IO.Path.Combine(folder, $"{point}.safetensors");
        Width = point.Width(architecture);
        var metadata = new Dictionary<string, string>
        {
            ["hook_point"] = point.ToString(),
            ["tokens_per_image"] = point.HasTokens ? $"{sampling.Kept(architecture.VisionTokens)} of {architecture.VisionTokens}" : "1",
        };
        writer = new SafetensorsRowWriter(Path, "activations", type, [Width], metadata);
    }

    public string Path { get; }

    public int Width { get; }

    public long Rows => writer.Rows;

    /// <param name="activations">As captured: [batch, width] or [batch, tokens, width].</param>
    /// <param name="first">Place of the batch's first image in the shard's list of ids.</param>
    /// <param name="ids">The batch's ids.</param>
    public void Append(torch.Tensor activations, int first, IReadOnlyList<string> ids)
    {
        using var scope = torch.NewDisposeScope();
        if (!point.HasTokens)
        {
            imageIndex.AddRange(Enumerable.Range(first, ids.Count));
            writer.Append(activations);
            return;
        }

        var tokens = (int)activations.shape[1];
        var rows = new List<long>();
        for (var i = 0; i < ids.Count; i++)
        {
            foreach (var token in TokenDraw.Draw(sampling.Kept(tokens), tokens, seed, ids[i]))
            {
                imageIndex.Add(first + i);
                tokenIndex.Add(token);
                rows.Add(((long)i * tokens) + token);
            }
        }

        var flat = activations.view(-1, Width);
        writer.Append(rows.Count == flat.shape[0] ? flat : flat.index_select(0, torch.tensor(rows, device: flat.device)));
    }

    /// <summary>Finishes the file.</summary>
    public void Complete()
    {
        using var scope = torch.NewDisposeScope();
        var others = new Dictionary<string, torch.Tensor> { ["image_index"] = torch.tensor(imageIndex) };
        if (point.HasTokens)
        {
            others["token_index"] = torch.tensor(tokenIndex);
        }

        writer.Complete(others);
    }

    public void Dispose() => writer.Dispose();
}
