using System.Globalization;
using ClipSae.Contracts;
using ClipSae.Tensors;

namespace ClipSae.Clip;

/// <summary>What the modules of a pickled or scripted model say about it: their classes, heads, and ways of pooling.</summary>
internal static class ModuleDescription
{
    private static readonly HashSet<string> OtherActivations = new(StringComparer.Ordinal)
    {
        "GELU", "GELUActivation", "NewGELUActivation", "FastGELUActivation", "AccurateGELUActivation", "PytorchGELUTanh", "GELUTanh", "ReLU", "SiLU", "SiLUActivation", "SELU", "ELU", "Mish", "Tanh", "LayerScale",
    };

    private static readonly string[] ActivationPlaces = [".mlp.gelu", ".mlp.activation_fn", ".mlp.act"];

    /// <param name="source">What to call the file in errors.</param>
    /// <exception cref="UserErrorException">A module is not what is computed here; names it.</exception>
    public static void Check(IReadOnlyList<PickledModule> modules, ClipArchitecture a, string source)
    {
        foreach (var module in modules)
        {
            var isVision = module.Path.Contains("visual", StringComparison.Ordinal) || module.Path.Contains("vision_model", StringComparison.Ordinal);
            if (OtherActivations.Contains(module.Class) || (ActivationPlaces.Any(place => module.Path.EndsWith(place, StringComparison.Ordinal)) && !module.Class.Contains("QuickGELU", StringComparison.Ordinal)))
            {
                throw Refuse(module, $"is a {module.Class}; only CLIPs with OpenAI's QuickGELU are computed here");
            }

            var (width, heads) = isVision ? (a.VisionWidth, a.VisionHeads) : (a.TextWidth, a.TextHeads);
            if (module.Attributes.GetValueOrDefault("num_heads") is long given && given != heads)
            {
                throw Refuse(module, $"has {given} heads for a width of {width}; only heads of {ClipArchitecture.HeadWidth}, as in OpenAI's models, are computed here");
            }

            if (module.Class.Contains("LayerNorm", StringComparison.Ordinal) && module.Attributes.GetValueOrDefault("eps") is double epsilon && Math.Abs(epsilon - 1e-5) > 1e-11)
            {
                throw Refuse(module, string.Create(CultureInfo.InvariantCulture, $"adds {epsilon} to the variance; only 1e-5 is computed here"));
            }

            if ((module.Attributes.GetValueOrDefault("pool_type") ?? module.Attributes.GetValueOrDefault("text_pool_type")) is string pooling && pooling is not ("tok" or "argmax"))
            {
                throw Refuse(module, $"pools by {pooling}; only the class token and the end of the text are computed here");
            }

            if (!isVision && module.Attributes.TryGetValue("attn_mask", out var mask) && mask is null)
            {
                throw Refuse(module, "has no causal mask; only texts with one are computed here");
            }
        }

        UserErrorException Refuse(PickledModule module, string reason) => new($"{source}: module '{module.Path}' {reason}");
    }
}
