using System.Text.Json.Nodes;

namespace ClipSae.Datasets.World;

/// <summary>One drawn picture, encoded as PNG, with what is known of it.</summary>
public sealed record WorldImage(DatasetItem Item, ReadOnlyMemory<byte> Png)
{
    /// <summary>One line of <c>attributes.jsonl</c>: the item's path and its attributes.</summary>
    public JsonObject AttributesLine()
    {
        var line = new JsonObject { ["path"] = Item.Id };
        foreach (var (name, value) in Item.Attributes ?? [])
        {
            line[name] = value?.DeepClone();
        }

        return line;
    }
}
