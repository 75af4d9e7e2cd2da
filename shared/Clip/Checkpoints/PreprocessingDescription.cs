namespace ClipSae.Clip;

/// <summary><c>preprocessor_config.json</c>, or the part of <c>processor_config.json</c> that newer versions of <c>transformers</c> write; defaults are CLIPImageProcessor's, which are what is done here.</summary>
internal static class PreprocessingDescription
{
    public const string FileName = "preprocessor_config.json";
    public const string NewFileName = "processor_config.json";

    /// <summary>Pillow's number of its bicubic filter.</summary>
    private const int Bicubic = 3;

    private const string Always = "it is always done here";

    /// <exception cref="Contracts.UserErrorException">It describes pictures that are prepared otherwise; names the key.</exception>
    public static void Check(DescribedPart config, ClipArchitecture a)
    {
        config.Only("image_processor_type", "CLIPImageProcessor", "CLIPImageProcessorFast", "CLIPImageProcessorPil");
        config.Only("feature_extractor_type", "CLIPFeatureExtractor");
        config.Only("image_mean", PixelNormalization.Mean);
        config.Only("image_std", PixelNormalization.Deviation);
        config.Only("resample", Bicubic);
        config.Only("rescale_factor", 1.0 / 255);
        foreach (var step in new[] { "do_resize", "do_center_crop", "do_rescale", "do_normalize" })
        {
            config.On(step);
        }

        Side(config, "size", a.ImageResolution, "shortest_edge");
        Side(config, "crop_size", a.ImageResolution, "height", "width");
    }

    // A number, or an object that names sides.
    private static void Side(DescribedPart config, string key, int side, params string[] names)
    {
        if (config.Part(key) is not { } sides)
        {
            Same(config, key, side);
            return;
        }

        if (!names.All(sides.Has))
        {
            throw config.NotComputed(key, $"only {string.Join(" and ", names)} {side} is supported");
        }

        foreach (var name in names)
        {
            Same(sides, name, side);
        }
    }

    private static void Same(DescribedPart part, string key, int side)
    {
        if (part.Has(key) && part.Number(key) != side)
        {
            throw part.NotComputed(key, $"the weights take {side} pixels, and only pictures of exactly that size, cut from the middle, are supported");
        }
    }
}
