using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;

namespace ClipSae.WeightConversion.Targets;

/// <summary>Writes the JSON files that are next to weights.</summary>
internal static class JsonDescription
{
    private static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static string Text(JsonNode content) => Encoding.UTF8.GetString(Bytes(content));

    public static void Write(string folder, string name, JsonNode content) => AtomicFile.Write(Path.Combine(folder, name), Bytes(content));

    private static byte[] Bytes(JsonNode content) => [.. JsonSerializer.SerializeToUtf8Bytes(content, Readable), (byte)'\n'];
}
