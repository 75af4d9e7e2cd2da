using System.Globalization;
using ClipSae.Clip.Architecture;
using ClipSae.Tensors;

namespace ClipSae.Clip.Checkpoints;

/// <summary>What the modules of a pickled or scripted model say about it: their classes, heads, and ways of pooling.</summary>
internal static class ModuleDescription
{
    private static readonly HashSet<string> OtherActivations = new(StringComparer.Ordinal)
    {
        "ReLU",
        "SiLU",
        "SiLUActivation",
        "SELU",
        "ELU",
        "Mish",
        "Tanh",
        "LayerScale",
    };

    private static readonly HashSet<string> TanhGelu = new(StringComparer.Ordinal)
    {
        "NewGELUActivation",
        "FastGELUActivation",
        "AccurateGELUActivation",
        "PytorchGELUTanh",
        "GELUTanh",
    };

    private static readonly string[] ActivationPlaces = [".mlp.gelu", ".mlp.activation_fn", ".mlp.act"];

    /// <param name="source">What to call the file in errors.</param>
    /// <returns>What is said of activation and heads.</returns>
    /// <exception cref="UserErrorException">A module is not what is supported; names it.</exception>
    public static ModelTraits Read(IReadOnlyList<PickledModule> modules, ClipArchitecture a, string source)
    {
        var traits = ModelTraits.Unknown;
        foreach (var module in modules)
        {
            var isVision =
                module.Path.Contains("visual", StringComparison.Ordinal) || module.Path.Contains("vision_model", StringComparison.Ordinal);
            var activation = Activation(module);
            if (
                activation is null
                && (
                    OtherActivations.Contains(module.Class)
                    || ActivationPlaces.Any(place => module.Path.EndsWith(place, StringComparison.Ordinal))
                )
            )
            {
                throw Refuse(module, $"is a {module.Class}; only {string.Join(", ", MlpActivation.All)} are supported");
            }

            var heads = module.Attributes.GetValueOrDefault("num_heads") is long given ? (int?)given : null;
            if (heads is { } count && (count < 1 || (isVision ? a.VisionWidth : a.TextWidth) % count != 0))
            {
                throw Refuse(module, $"has {count} heads, which do not divide a width of {(isVision ? a.VisionWidth : a.TextWidth)}");
            }

            traits = traits.With(
                new ModelTraits(activation, isVision ? heads : null, isVision ? null : heads),
                $"{source}: module '{module.Path}'"
            );

            if (
                module.Class.Contains("LayerNorm", StringComparison.Ordinal)
                && module.Attributes.GetValueOrDefault("eps") is double epsilon
                && Math.Abs(epsilon - 1e-5) > 1e-11
            )
            {
                throw Refuse(
                    module,
                    string.Create(CultureInfo.InvariantCulture, $"adds {epsilon} to the variance; only 1e-5 is supported")
                );
            }

            if (
                (module.Attributes.GetValueOrDefault("pool_type") ?? module.Attributes.GetValueOrDefault("text_pool_type"))
                    is string pooling
                && pooling is not ("tok" or "argmax")
            )
            {
                throw Refuse(module, $"pools by {pooling}; only the class token and the end of the text are supported");
            }

            if (!isVision && module.Attributes.TryGetValue("attn_mask", out var mask) && mask is null)
            {
                throw Refuse(module, "has no causal mask; only texts with one are supported");
            }
        }

        return traits;

        UserErrorException Refuse(PickledModule module, string reason) => new($"{source}: module '{module.Path}' {reason}");
    }

    private static MlpActivation? Activation(PickledModule module) =>
        module.Class.Contains("QuickGELU", StringComparison.Ordinal) ? MlpActivation.QuickGelu
        : TanhGelu.Contains(module.Class)
        || (module.Class == "GELU" && module.Attributes.GetValueOrDefault("approximate") as string == "tanh")
            ? MlpActivation.TanhGelu
        : module.Class is "GELU" or "GELUActivation" ? MlpActivation.Gelu
        : null;
}
