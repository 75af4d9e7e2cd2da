using ClipSae.Clip.Architecture;

namespace ClipSae.Clip.Checkpoints;

/// <summary>Where the checkpoint of an image generator keeps a text encoder of CLIP.</summary>
/// <param name="Name">What the encoder is called there, such as <c>conditioner.embedders.0</c>.</param>
/// <param name="Prefix">Before the name of each of its tensors.</param>
/// <param name="Activation">Which activation generators compute it with; null where nothing says it.</param>
internal sealed record TextEncoderPlace(string Name, string Prefix, MlpActivation? Activation)
{
    /// <summary>
    /// In single files. OpenAI's encoder of ViT-L/14 first: Stable Diffusion 1, SDXL, ComfyUI (Stable Diffusion 3, Flux). Then LAION's,
    /// which were trained with GELU: Stable Diffusion 2, SDXL, its refiner, ComfyUI.
    /// </summary>
    public static IReadOnlyList<TextEncoderPlace> All { get; } =
    [
        OpenAi("cond_stage_model", "transformer."),
        OpenAi("conditioner.embedders.0", "transformer."),
        OpenAi("text_encoders.clip_l", "transformer."),
        OpenAi("clip_l", "transformer."),
        Laion("cond_stage_model", "model."),
        Laion("conditioner.embedders.1", "model."),
        Laion("conditioner.embedders.0", "model."),
        Laion("text_encoders.clip_g", "transformer."),
        Laion("clip_g", "transformer."),
    ];

    /// <summary>Whether a tensor of this name belongs to the encoder.</summary>
    public bool Holds(string name) => name.StartsWith(Prefix, StringComparison.Ordinal);

    private static TextEncoderPlace OpenAi(string name, string inside) => new(name, $"{name}.{inside}", MlpActivation.QuickGelu);

    private static TextEncoderPlace Laion(string name, string inside) => new(name, $"{name}.{inside}", MlpActivation.Gelu);
}
