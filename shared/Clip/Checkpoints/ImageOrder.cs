namespace ClipSae.Clip.Checkpoints;

/// <summary>
/// In which order a model's own preprocessing resizes pictures and converts them to RGB. openai/CLIP and open_clip resize first;
/// transformers' <c>CLIPImageProcessor</c> converts first. Only pictures that are not kept as RGB, grey or YCbCr differ.
/// </summary>
public static class ImageOrder
{
    /// <summary>Whether transformers' description is next to a checkpoint and does not switch the conversion off.</summary>
    /// <param name="checkpoint">A file of weights, or a model folder.</param>
    /// <exception cref="UserErrorException">The description cannot be read.</exception>
    public static bool ConvertsFirst(string checkpoint) => ModelDescription.Preprocessing(checkpoint)?.IsOff("do_convert_rgb") == false;
}
