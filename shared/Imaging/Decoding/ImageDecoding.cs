using System.Text.Json.Nodes;
using ClipSae.Imaging.Jpeg;

namespace ClipSae.Imaging.Decoding;

/// <summary>What of the machine decides the pixels of a picture.</summary>
public static class ImageDecoding
{
    /// <summary>
    /// Members for the key of what is computed from pixels: none where JPEG is decoded exactly as Pillow does, and otherwise the decoder
    /// that takes its place, which gives slightly other pixels.
    /// </summary>
    public static JsonObject OfMachine() => OfMachine(JpegDecoder.IsSupported);

    internal static JsonObject OfMachine(bool isExact) => isExact ? [] : new JsonObject { ["jpegDecoder"] = "skia" };
}
