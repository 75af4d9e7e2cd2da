using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace ClipSae.Pipeline.Stages;

/// <summary>
/// Holds the values of an options record, and of records within it, against the rules at its members: <see cref="RangeAttribute"/> and
/// <see cref="AllowedValuesAttribute"/>. A null, where a member may be null, stands for a default and breaks none.
/// </summary>
public static class ParameterRules
{
    /// <param name="section">What errors put before the key, for example <c>sae</c>.</param>
    /// <exception cref="UserErrorException">A value breaks a rule; the message names key, value and rule.</exception>
    public static void Require(object options, string section)
    {
        foreach (var property in ContractJson.Options.GetTypeInfo(options.GetType()).Properties.Where(property => property.Get is not null))
        {
            if (property.Get!(options) is not { } value)
            {
                continue;
            }

            foreach (var rule in property.AttributeProvider?.GetCustomAttributes(typeof(ValidationAttribute), inherit: true) ?? [])
            {
                UserErrorException.ThrowIf(!Holds(rule, value), $"{section}.{property.Name}: must be {Text(rule)}, not {Written(value)}");
            }

            if (value.GetType().IsClass && ContractJson.Options.GetTypeInfo(value.GetType()).Kind == JsonTypeInfoKind.Object)
            {
                Require(value, $"{section}.{property.Name}");
            }
        }
    }

    private static bool Holds(object rule, object value) =>
        rule switch
        {
            RangeAttribute range => Holds(range, Convert.ToDouble(value, CultureInfo.InvariantCulture)),
            AllowedValuesAttribute allowed => allowed.IsValid(value),
            _ => throw new NotSupportedException($"{rule.GetType().Name} is not a rule of parameters."),
        };

    // As numbers: the attribute's own check rounds a share to a whole number where its bounds are written as such. A NaN is in no range.
    private static bool Holds(RangeAttribute range, double value)
    {
        var least = Convert.ToDouble(range.Minimum, CultureInfo.InvariantCulture);
        var most = Convert.ToDouble(range.Maximum, CultureInfo.InvariantCulture);
        return (range.MinimumIsExclusive ? value > least : value >= least) && (range.MaximumIsExclusive ? value < most : value <= most);
    }

    private static string Text(object rule) =>
        rule is RangeAttribute range ? Text(range) : string.Join(" or ", ((AllowedValuesAttribute)rule).Values.Select(Written));

    private static string Text(RangeAttribute range)
    {
        var least = $"{(range.MinimumIsExclusive ? "above" : "at least")} {Written(range.Minimum)}";
        var most = $"{(range.MaximumIsExclusive ? "below" : "at most")} {Written(range.Maximum)}";
        return (range.Minimum, range.Maximum) switch
        {
            (double.MinValue, double.MaxValue) => "a finite number",
            (double.NegativeInfinity, _) => most,
            (_, double.PositiveInfinity) => least,
            _ => $"{least} and {most}",
        };
    }

    private static string Written(object? value) =>
        value is Enum
            ? JsonNamingPolicy.CamelCase.ConvertName(value.ToString()!)
            : Convert.ToString(value, CultureInfo.InvariantCulture) ?? "null";
}
