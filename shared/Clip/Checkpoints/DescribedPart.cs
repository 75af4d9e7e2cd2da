using System.Globalization;
using System.Text.Json;
using ClipSae.Tensors;

namespace ClipSae.Clip.Checkpoints;

/// <summary>
/// An object of a JSON description that is next to weights. What it says is held against what is supported; keys that are not there, or
/// null, say nothing.
/// </summary>
/// <param name="path">The file.</param>
/// <param name="place">Where the object is in it, with a point behind; empty for the file itself.</param>
/// <param name="element">The object.</param>
internal sealed class DescribedPart(string path, string place, JsonElement element)
{
    private const double NumberTolerance = 1e-6;

    /// <summary>The file.</summary>
    public string Path => path;

    /// <summary>The description of that name in a folder, or null if there is none.</summary>
    /// <exception cref="UserErrorException">It cannot be read, or is not a JSON object.</exception>
    public static DescribedPart? Read(string folder, string name)
    {
        const long MaxLength = 1 << 20;
        var path = System.IO.Path.Combine(folder, name);
        try
        {
            if (!File.Exists(path))
            {
                return null;
            }

            var bytes =
                new FileInfo(path).Length <= MaxLength
                    ? File.ReadAllBytes(path)
                    : throw new UserErrorException($"{path}: too long to describe a model");
            JsonTexts.Require(bytes);
            using var json = JsonDocument.Parse(bytes);
            return json.RootElement.ValueKind == JsonValueKind.Object
                ? new DescribedPart(path, "", json.RootElement.Clone())
                : throw new UserErrorException(
                    $"{path}: is not a JSON object (byte 0), so it does not describe a model; download it again"
                );
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new UserErrorException($"{path}: cannot be read: {failure.Message}");
        }
    }

    /// <summary>An object inside, or null.</summary>
    public DescribedPart? Part(string key) =>
        Value(key) is { ValueKind: JsonValueKind.Object } inner ? new DescribedPart(path, $"{place}{key}.", inner) : null;

    public bool Has(string key) => Value(key) is not null;

    /// <summary>Whether a switch is there and off.</summary>
    public bool IsOff(string key) => Value(key) is { ValueKind: JsonValueKind.False };

    /// <summary>Whether a switch is there and on.</summary>
    public bool IsOn(string key) => Value(key) is { ValueKind: JsonValueKind.True };

    public string? Text(string key) => Value(key) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    public double? Number(string key) =>
        Value(key) is { ValueKind: JsonValueKind.Number } number && number.TryGetDouble(out var value) ? value : null;

    /// <summary>A text, if it is there, must be one of these.</summary>
    public void Only(string key, params string[] allowed)
    {
        if (
            Value(key) is { } value
            && !(value.ValueKind == JsonValueKind.String && allowed.Contains(value.GetString(), StringComparer.Ordinal))
        )
        {
            throw NotComputed(key, $"only {string.Join(" or ", allowed)} is supported");
        }
    }

    /// <summary>A number, if it is there, must be this one.</summary>
    public void Only(string key, double allowed)
    {
        if (Value(key) is not null && !(Number(key) is { } number && Math.Abs(number - allowed) <= NumberTolerance * Math.Abs(allowed)))
        {
            throw NotComputed(key, $"only {allowed.ToString(CultureInfo.InvariantCulture)} is supported");
        }
    }

    /// <summary>A list of numbers, if it is there, must be this one.</summary>
    public void Only(string key, IReadOnlyList<float> allowed)
    {
        if (
            Value(key) is { } value
            && !(
                value.ValueKind == JsonValueKind.Array
                && value.GetArrayLength() == allowed.Count
                && value
                    .EnumerateArray()
                    .Zip(allowed)
                    .All(pair =>
                        pair.First.ValueKind == JsonValueKind.Number
                        && pair.First.TryGetDouble(out var number)
                        && Math.Abs(number - pair.Second) < 1e-4
                    )
            )
        )
        {
            throw NotComputed(
                key,
                $"only [{string.Join(", ", allowed.Select(number => number.ToString(CultureInfo.InvariantCulture)))}] is supported"
            );
        }
    }

    /// <summary>A switch, if it is there, must be on.</summary>
    public void On(string key)
    {
        if (Value(key) is { ValueKind: not JsonValueKind.True })
        {
            throw NotComputed(key, "only true is supported");
        }
    }

    /// <summary>What turns something on that is not computed must be absent, false, 0 or empty.</summary>
    public void Off(string key, string reason)
    {
        if (
            Value(key) is { } value
            && value.ValueKind != JsonValueKind.False
            && !(value.ValueKind == JsonValueKind.Number && Number(key) == 0)
            && !(value.ValueKind == JsonValueKind.String && value.GetString()!.Length == 0)
        )
        {
            throw NotComputed(key, reason);
        }
    }

    /// <summary>A switch, list or object of what is not computed must be absent, off or empty.</summary>
    public void Empty(string key, string reason)
    {
        if (
            Value(key) is { } value
            && !(
                value.ValueKind switch
                {
                    JsonValueKind.False => true,
                    JsonValueKind.Array => value.GetArrayLength() == 0,
                    JsonValueKind.Object => !value.EnumerateObject().Any(),
                    _ => false,
                }
            )
        )
        {
            throw NotComputed(key, reason);
        }
    }

    /// <summary>A size, if it is there, must be that of the weights: otherwise the description is another model's.</summary>
    public void Size(string key, long ofWeights) =>
        UserErrorException.ThrowIf(
            Value(key) is not null && Number(key) != ofWeights,
            $"{path}: '{place}{key}' is {Shown(key)}, but the weights have {ofWeights}: it describes another model; "
                + $"keep weights in one folder with their own description only"
        );

    /// <summary>The refusal of a value that is not computed.</summary>
    public UserErrorException NotComputed(string key, string reason) => new($"{path}: '{place}{key}' is {Shown(key)}; {reason}");

    private JsonElement? Value(string key) =>
        element.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private string Shown(string key)
    {
        const int MaxLength = 60;
        var shown = Value(key) is { } value
            ? value.ValueKind == JsonValueKind.String
                ? value.GetString()!
                : value.GetRawText()
            : "absent";
        return string.Concat(shown.Take(MaxLength).Where(letter => !char.IsControl(letter))) + (shown.Length > MaxLength ? "…" : "");
    }
}
