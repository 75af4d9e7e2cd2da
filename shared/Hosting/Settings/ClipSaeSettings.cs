using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using ClipSae.Pipeline.Stages;
using Microsoft.Extensions.Configuration;

namespace ClipSae.Hosting.Settings;

/// <summary>
/// Reads what a process is given from outside, the same way for every process: names and values that say nothing are refused.
/// </summary>
public static partial class ClipSaeSettings
{
    private static readonly Dictionary<string, Type> Kinds = KindsOf(typeof(ClipSaeOptions), "")
        .ToDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>Every setting as the environment names it, <c>ClipSae__Broker__Port</c>.</summary>
    public static IReadOnlyCollection<string> Names { get; } = [.. Kinds.Keys.Select(InEnvironment)];

    /// <summary>
    /// The settings of a configuration. Times are <c>250ms</c>, <c>30s</c>, <c>3m</c>, <c>2h</c> or <c>00:00:30</c>, switches <c>yes</c> or
    /// <c>no</c>, sizes whole bytes. An empty value is none.
    /// </summary>
    /// <param name="defaults">What holds where nothing is given; by default what the options' own documentation says.</param>
    /// <exception cref="UserErrorException">A name is unknown or a value has another form; the message says which and what is
    /// expected.</exception>
    public static ClipSaeOptions Read(IConfiguration configuration, ClipSaeOptions? defaults = null)
    {
        var given = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (
            var (key, value) in configuration
                .GetSection(ClipSaeOptions.Section)
                .AsEnumerable(makePathsRelative: true)
                .Where(pair => !string.IsNullOrWhiteSpace(pair.Value))
        )
        {
            given[key] = Kinds.TryGetValue(key, out var kind)
                ? Canonical(key, value!.Trim(), kind)
                : throw new UserErrorException(
                    $"configuration: {InEnvironment(key)} is not a setting; {NearMatches.Describe(InEnvironment(key), Names)}"
                );
        }

        var options = defaults ?? new ClipSaeOptions();
        new ConfigurationBuilder().AddInMemoryCollection(given).Build().Bind(options);
        return options;
    }

    // The form that the binder understands; it takes 60 for sixty days, and knows no other words than true and false.
    private static string Canonical(string key, string value, Type kind) =>
        true switch
        {
            _ when kind == typeof(string) => value,
            _ when kind == typeof(bool) => value.ToLowerInvariant() switch
            {
                "true" or "yes" or "on" or "1" => "true",
                "false" or "no" or "off" or "0" => "false",
                _ => throw Unfit(key, value, "yes or no"),
            },
            _ when kind == typeof(TimeSpan) => (Time(value) ?? throw Unfit(key, value, "a time such as 30s, 3m, 2h or 00:00:30")).ToString(
                "c",
                CultureInfo.InvariantCulture
            ),
            _ when kind == typeof(int) => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _)
                ? value
                : throw Unfit(key, value, "a whole number"),
            _ => long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _)
                ? value
                : throw Unfit(key, value, "a whole number of bytes, for example 21474836480 for 20 GiB"),
        };

    private static TimeSpan? Time(string value)
    {
        if (value.Contains(':', StringComparison.Ordinal))
        {
            return TimeSpan.TryParse(value, CultureInfo.InvariantCulture, out var clock) ? clock : null;
        }

        return
            NumberAndUnit().Match(value) is { Success: true } parts
            && double.TryParse(parts.Groups[1].ValueSpan, CultureInfo.InvariantCulture, out var number)
            && number < 1e6
            ? parts.Groups[2].Value switch
            {
                "ms" => TimeSpan.FromMilliseconds(number),
                "s" => TimeSpan.FromSeconds(number),
                "m" or "min" => TimeSpan.FromMinutes(number),
                _ => TimeSpan.FromHours(number),
            }
            : null;
    }

    private static UserErrorException Unfit(string key, string value, string expected) =>
        new($"configuration: {InEnvironment(key)} = {value}: expected {expected}");

    private static string InEnvironment(string key) => $"{ClipSaeOptions.Section}__{key.Replace(":", "__", StringComparison.Ordinal)}";

    private static IEnumerable<KeyValuePair<string, Type>> KindsOf(Type options, string prefix) =>
        options
            .GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.CanWrite)
            .SelectMany(property =>
                property.PropertyType.IsClass && property.PropertyType != typeof(string)
                    ? KindsOf(property.PropertyType, $"{prefix}{property.Name}:")
                    : [KeyValuePair.Create(prefix + property.Name, property.PropertyType)]
            );

    [GeneratedRegex(@"^(\d+(?:\.\d+)?)\s*(ms|s|min|m|h)$", RegexOptions.CultureInvariant)]
    private static partial Regex NumberAndUnit();
}
