using SkiaSharp;

namespace ClipSae.Datasets.World;

/// <summary>One filled shape of an object's picture, in a box of 100 × 100.</summary>
internal sealed record SpriteLayer(SKPath Shape, SpriteTone Tone);

/// <summary>Which colour a layer takes.</summary>
internal enum SpriteTone
{
    Body,
    Light,
    Shade,
    Dark,
    White,
    Wood,
}
