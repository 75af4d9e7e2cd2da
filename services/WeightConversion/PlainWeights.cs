using ClipSae.Clip;
using ClipSae.Contracts;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.WeightConversion;

/// <summary>
/// A checkpoint seen as plain weights under OpenAI's keys, whether it holds <c>.weight</c> or the <c>.r</c> and <c>.theta</c> of Geometric
/// Parametrization (science, section 2). Weights are made one at a time, in float32.
/// </summary>
public sealed class PlainWeights
{
    private readonly SafetensorsFile _file;

    private PlainWeights(SafetensorsFile file, IReadOnlyDictionary<string, long[]> shapes, int geometricLayers)
    {
        _file = file;
        Shapes = shapes;
        GeometricLayers = geometricLayers;
    }

    /// <summary>Key and shape of every plain weight.</summary>
    public IReadOnlyDictionary<string, long[]> Shapes { get; }

    /// <summary>Linear layers that the file holds as r and θ.</summary>
    public int GeometricLayers { get; }

    /// <summary>Checks the keys and shapes of a file.</summary>
    /// <param name="file">An open checkpoint; it must outlive this object.</param>
    /// <param name="source">What to call the file in errors.</param>
    /// <exception cref="UserErrorException">
    /// Names the key: r without θ or θ without r, weight beside r and θ, a shape that does not fit, a key missing or left over.
    /// </exception>
    public static PlainWeights Of(SafetensorsFile file, string source)
    {
        var shapes = new SortedDictionary<string, long[]>(StringComparer.Ordinal);
        var geometric = 0;
        foreach (var (key, entry) in file.Entries)
        {
            if (key.EndsWith(ClipKeys.Theta, StringComparison.Ordinal))
            {
                var layer = key[..^ClipKeys.Theta.Length];
                CheckLayer(file.Entries, layer, entry, source);
                shapes[layer + ClipKeys.Weight] = [.. entry.Shape];
                geometric++;
            }
            else if (key.EndsWith(ClipKeys.Radius, StringComparison.Ordinal))
            {
                Require(file.Entries, key, key[..^ClipKeys.Radius.Length] + ClipKeys.Theta, source);
            }
            else
            {
                shapes[key] = [.. entry.Shape];
            }
        }

        CheckAgainstArchitecture(shapes, source);
        return new PlainWeights(file, shapes, geometric);
    }

    /// <summary>A plain weight, float32, owned by the caller.</summary>
    public torch.Tensor Read(string key)
    {
        using var scope = torch.NewDisposeScope();
        if (_file.Entries.ContainsKey(key))
        {
            return _file.Read(key).to(torch.float32).MoveToOuterDisposeScope();
        }

        var layer = key[..^ClipKeys.Weight.Length];
        var radius = _file.Read(layer + ClipKeys.Radius).to(torch.float32);
        var theta = _file.Read(layer + ClipKeys.Theta).to(torch.float32);
        return GeometricParametrization.Materialize(radius, theta).MoveToOuterDisposeScope();
    }

    private static void CheckLayer(IReadOnlyDictionary<string, TensorEntry> entries, string layer, TensorEntry theta, string source)
    {
        Require(entries, theta.Name, layer + ClipKeys.Radius, source);
        if (entries.ContainsKey(layer + ClipKeys.Weight))
        {
            throw new UserErrorException($"{source}: '{layer + ClipKeys.Weight}' and '{theta.Name}' are both there; keep either the weight or its r and theta");
        }

        var radius = entries[layer + ClipKeys.Radius];
        if (theta.Shape.Count != 2 || radius.Shape is not [var rows, 1] || rows != theta.Shape[0])
        {
            throw new UserErrorException($"{source}: '{radius.Name}' is {radius} and '{theta.Name}' is {theta}; expected [out, 1] beside [out, in]");
        }
    }

    private static void Require(IReadOnlyDictionary<string, TensorEntry> entries, string key, string partner, string source)
    {
        if (!entries.ContainsKey(partner))
        {
            throw new UserErrorException($"{source}: '{key}' is there without its partner '{partner}'; the checkpoint is incomplete");
        }
    }

    private static void CheckAgainstArchitecture(SortedDictionary<string, long[]> shapes, string source)
    {
        var known = shapes.ToDictionary(shape => shape.Key, shape => (IReadOnlyList<long>)shape.Value, StringComparer.Ordinal);
        var architecture = ClipArchitecture.FromTensors(known, source);
        var expected = ClipKeys.Shapes(architecture).ToDictionary(shape => shape.Key, shape => shape.Value, StringComparer.Ordinal);
        foreach (var (key, shape) in expected)
        {
            if (!shapes.TryGetValue(key, out var actual))
            {
                throw new UserErrorException($"{source}: '{key}' is missing; a CLIP of these sizes needs it as [{string.Join(", ", shape)}]");
            }

            if (!actual.SequenceEqual(shape))
            {
                throw new UserErrorException($"{source}: '{key}' is [{string.Join(", ", actual)}], expected [{string.Join(", ", shape)}]");
            }
        }

        if (shapes.Keys.FirstOrDefault(key => !expected.ContainsKey(key)) is { } leftover)
        {
            throw new UserErrorException($"{source}: '{leftover}' is left over; a CLIP of these sizes has no such weight");
        }
    }
}
