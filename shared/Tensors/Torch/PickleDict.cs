namespace ClipSae.Tensors.Torch;

/// <summary>A dictionary as a pickle fills it, in its order; keys may be any value.</summary>
internal sealed class PickleDict
{
    public List<KeyValuePair<object?, object?>> Items { get; } = [];

    /// <summary>The value of a text key, or null. Of equal keys the last counts, as in Python.</summary>
    public object? this[string key] => Items.FindLast(item => item.Key is string text && text == key).Value;
}
