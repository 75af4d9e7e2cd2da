using System.CommandLine;
using ClipSae.Tensors;

namespace ClipSae.Cli.CommandLine;

/// <summary>A precision that weights are written in.</summary>
internal sealed class PrecisionOption : Option<Precision>
{
    public PrecisionOption(string name)
        : base(name)
    {
        HelpName = "TYPE";
        CustomParser = result =>
        {
            var given = result.Tokens[^1].Value;
            if (Choices.Contains(given, StringComparer.OrdinalIgnoreCase))
            {
                return Enum.Parse<Precision>(given, ignoreCase: true);
            }

            result.AddError(given);
            return default;
        };
    }

    /// <summary>As users write them; parsing takes any case.</summary>
    public static IReadOnlyList<string> Choices { get; } = ["bfloat16", "float16", "float32"];
}
