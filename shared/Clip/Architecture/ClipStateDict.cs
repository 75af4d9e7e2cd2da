using System.Globalization;

namespace ClipSae.Clip.Architecture;

/// <summary>Compares a set of named shapes with what a CLIP of its sizes must have.</summary>
internal static class ClipStateDict
{
    /// <summary>Entries of OpenAI's own archives that describe the model and are not weights.</summary>
    private static readonly HashSet<string> Descriptions = new(StringComparer.Ordinal)
    {
        "input_resolution",
        "context_length",
        "vocab_size",
    };

    /// <returns>The sizes, and the keys to load in a fixed order.</returns>
    /// <exception cref="UserErrorException">Names the first key that is missing, misshapen, doubly given or left over.</exception>
    public static (ClipArchitecture Architecture, IReadOnlyList<string> Keys) Check(
        IReadOnlyDictionary<string, IReadOnlyList<long>> shapes,
        string source
    )
    {
        CheckLongPositions(shapes, source);
        var architecture = ClipArchitecture.FromTensors(shapes, source);
        var geometric = ClipKeys.GeometricLayers(architecture).ToHashSet(StringComparer.Ordinal);
        var expected = new List<string>();
        foreach (var (key, shape) in ClipKeys.Shapes(architecture))
        {
            var layer = key.EndsWith(ClipKeys.Weight, StringComparison.Ordinal) ? key[..^ClipKeys.Weight.Length] : key;
            var (theta, radius) = (layer + ClipKeys.Theta, layer + ClipKeys.Radius);
            if (!geometric.Contains(layer) || (!shapes.ContainsKey(theta) && !shapes.ContainsKey(radius)))
            {
                Expect(key, shape);
                if (key == ClipKeys.Positions && shapes.ContainsKey(ClipKeys.StretchedPositions))
                {
                    Expect(ClipKeys.StretchedPositions, shape);
                }

                continue;
            }

            UserErrorException.ThrowIf(
                shapes.ContainsKey(key),
                $"{source}: key '{key}' and '{(shapes.ContainsKey(theta) ? theta : radius)}' are both present; "
                    + $"keep either the weight or its r and theta"
            );

            Expect(theta, shape);
            Expect(radius, [shape[0], 1]);
        }

        CheckUniform(expected, geometric, source);
        foreach (var key in shapes.Keys.Where(key => NullTokenBlock(key, architecture) is not null).Order(StringComparer.Ordinal).Take(1))
        {
            Expect(key, [architecture.VisionWidth]);
        }

        var extra = shapes
            .Keys.Except(expected, StringComparer.Ordinal)
            .Except(Descriptions)
            .Order(StringComparer.Ordinal)
            .FirstOrDefault();
        return extra is null
            ? (architecture, expected)
            : throw new UserErrorException($"{source}: key '{extra}' does not belong to a CLIP of these sizes ({architecture})");

        void Expect(string key, long[] shape)
        {
            UserErrorException.ThrowIf(
                !shapes.TryGetValue(key, out var actual),
                $"{source}: key '{key}' is missing; a CLIP of these sizes needs it as [{string.Join(", ", shape)}]"
            );
            UserErrorException.ThrowIf(
                !actual.SequenceEqual(shape),
                $"{source}: key '{key}' is [{string.Join(", ", actual)}], expected [{string.Join(", ", shape)}]"
            );

            expected.Add(key);
        }
    }

    /// <summary>The block that a null token's key names, where it is one of the model's; null for every other key.</summary>
    public static int? NullTokenBlock(string key, ClipArchitecture architecture) =>
        key.StartsWith(ClipKeys.NullToken, StringComparison.Ordinal)
        && int.TryParse(key.AsSpan(ClipKeys.NullToken.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var block)
        && block < architecture.VisionLayers
            ? block
            : null;

    private static void CheckLongPositions(IReadOnlyDictionary<string, IReadOnlyList<long>> shapes, string source)
    {
        if (!shapes.TryGetValue(ClipKeys.StretchedPositions, out var stretched))
        {
            return;
        }

        UserErrorException.ThrowIf(
            !shapes.TryGetValue(ClipKeys.Positions, out var kept),
            $"{source}: key '{ClipKeys.StretchedPositions}' is present without its partner '{ClipKeys.Positions}'; "
                + $"the checkpoint is incomplete"
        );
        UserErrorException.ThrowIf(
            !kept.SequenceEqual(stretched) || kept is not [> LongPositions.KeptRows, _],
            $"{source}: key '{ClipKeys.Positions}' is [{string.Join(", ", kept)}] and '{ClipKeys.StretchedPositions}' "
                + $"[{string.Join(", ", stretched)}]; they must have equal shapes, with more than {LongPositions.KeptRows} rows"
        );
    }

    private static void CheckUniform(IReadOnlyList<string> keys, HashSet<string> geometricLayers, string source)
    {
        var plain = keys.FirstOrDefault(k =>
            k.EndsWith(ClipKeys.Weight, StringComparison.Ordinal) && geometricLayers.Contains(k[..^ClipKeys.Weight.Length])
        );
        var theta = keys.FirstOrDefault(k => k.EndsWith(ClipKeys.Theta, StringComparison.Ordinal));
        UserErrorException.ThrowIf(
            plain is not null && theta is not null,
            $"{source}: key '{plain}' is plain but '{theta}' is geometric; convert all of the MLP layers or none"
        );
    }
}
