using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.Clip.Generators;

/// <summary>A text encoder of CLIP in one file of an image generator.</summary>
public sealed class GeneratorTextEncoder
{
    private readonly Dictionary<string, WeightPart> _parts;

    internal GeneratorTextEncoder(string name, string file, Dictionary<string, WeightPart> parts, MlpActivation? activation)
    {
        Name = name;
        File = file;
        _parts = parts;
        Activation = activation;
        Layers = parts
            .Keys.Where(key => key.StartsWith(ClipKeys.TextBlocks, StringComparison.Ordinal))
            .Select(key => key[ClipKeys.TextBlocks.Length..].Split('.')[0])
            .Distinct()
            .Count();
        (Context, Width) = (Size(ClipKeys.Positions, 0), Size(ClipKeys.Positions, 1));
    }

    /// <summary>What the generator calls it, such as <c>text_encoder_2</c>.</summary>
    public string Name { get; }

    /// <summary>The file that holds it, relative to the generator; empty where the generator is a file.</summary>
    public string File { get; }

    /// <summary>Which activation the generator computes it with; null where nothing says it.</summary>
    public MlpActivation? Activation { get; }

    /// <summary>Transformer blocks. Some generators keep one less than the model has, because they never take its output.</summary>
    public int Layers { get; }

    /// <summary>Tokens of a text.</summary>
    public int Context { get; }

    /// <summary>Width of the hidden states.</summary>
    public int Width { get; }

    /// <summary>The element type of most of its weights, by its safetensors name.</summary>
    public string Dtype => _parts["token_embedding.weight"].Dtype;

    /// <summary>Keys of the weights that the file holds, in OpenAI's order.</summary>
    /// <param name="model">Sizes of a model whose text tower fits.</param>
    public IReadOnlyList<string> Keys(ClipArchitecture model) => [.. Shapes(model).Select(shape => shape.Key).Where(_parts.ContainsKey)];

    /// <summary>Why the text tower of a model cannot take this encoder's place; null where it can.</summary>
    public string? Misfit(ClipArchitecture model)
    {
        if (Layers > model.TextLayers || Context > model.ContextLength)
        {
            return $"it has {Layers} blocks and {Context} tokens, the model's text tower {model.TextLayers} and {model.ContextLength}";
        }

        foreach (var (key, shape) in Shapes(model))
        {
            if (!_parts.TryGetValue(key, out var part))
            {
                if (key is not (TextHiddenStates.Projection or ClipKeys.LogitScale))
                {
                    return $"'{key}' is missing";
                }
            }
            else if (!part.Shape.SequenceEqual(shape) || !part.IsComputable)
            {
                return part.IsComputable
                    ? $"'{part.Leader.Name}' is [{string.Join(", ", part.Shape)}], the model's [{string.Join(", ", shape)}]"
                    : $"'{part.Leader.Name}' has element type {part.Dtype}, and only float16, bfloat16 and float32 can be written";
            }
        }

        return Activation is not null && Activation != model.Activation
            ? $"the generator computes it with {Activation}, the model was trained with {model.Activation}"
            : null;
    }

    /// <summary>A weight under OpenAI's key, float32; the caller owns it.</summary>
    public torch.Tensor Read(string key)
    {
        using var scope = torch.NewDisposeScope();
        return _parts[key].Read(new NonFiniteValues()).to(torch.float32).MoveToOuterDisposeScope();
    }

    /// <summary>A weight as precise as the file holds it, float32.</summary>
    /// <param name="key">OpenAI's key.</param>
    public torch.Tensor Rounded(string key, torch.Tensor weight) => weight.to(_parts[key].ScalarType!.Value).to(torch.float32);

    /// <summary>The tensors of the file that hold a weight, in the file's sizes and element types; the caller owns them.</summary>
    /// <param name="key">OpenAI's key.</param>
    /// <param name="weight">The new weight, of the same sizes.</param>
    /// <exception cref="UserErrorException">The weight is not finite in the file's element type.</exception>
    internal IReadOnlyList<(TensorEntry Entry, torch.Tensor Tensor)> Write(
        string key,
        torch.Tensor weight,
        IReadOnlyDictionary<string, TensorEntry> entries
    )
    {
        using var scope = torch.NewDisposeScope();
        var written = new List<(TensorEntry, torch.Tensor)>();
        foreach (var (name, tensor) in _parts[key].Write(weight))
        {
            var stored = tensor.to(entries[name].ScalarType!.Value).contiguous();
            var nonFinite = new NonFiniteValues();
            nonFinite.Count(name, stored);
            UserErrorException.ThrowIf(
                nonFinite.Counts.Count > 0,
                $"key '{name}' has element type {entries[name].Dtype} in the generator, and the model's values are NaN, "
                    + $"infinite or too large for it; use a generator in float32 or bfloat16"
            );

            written.Add((entries[name], stored.DetachFromDisposeScope()));
        }

        return written;
    }

    private IEnumerable<KeyValuePair<string, long[]>> Shapes(ClipArchitecture model) =>
        ClipKeys
            .Shapes(model with { ContextLength = Context, TextLayers = Layers })
            .Where(shape => !shape.Key.StartsWith("visual.", StringComparison.Ordinal));

    private int Size(string key, int axis) =>
        _parts.TryGetValue(key, out var part) && part.Shape.Count == 2 ? (int)Math.Min(part.Shape[axis], int.MaxValue) : 0;
}
