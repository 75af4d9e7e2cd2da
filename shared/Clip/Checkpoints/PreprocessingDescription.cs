using ClipSae.Clip.Architecture;
using ClipSae.Imaging.Resizing;

namespace ClipSae.Clip.Checkpoints;

/// <summary>
/// <c>preprocessor_config.json</c>, or the part of <c>processor_config.json</c> that newer versions of <c>transformers</c> write; defaults
/// are CLIPImageProcessor's or SiglipImageProcessor's, which are what is done here.
/// </summary>
internal static class PreprocessingDescription
{
    public const string FileName = "preprocessor_config.json";
    public const string NewFileName = "processor_config.json";

    private const int Bicubic = (int)ResizeFilter.Bicubic;

    private const string Always = "it is always done here";

    /// <returns>What is said of the filter.</returns>
    /// <exception cref="Contracts.UserErrorException">It describes pictures that are prepared otherwise; names the key.</exception>
    public static ModelTraits Read(DescribedPart config, ClipArchitecture a)
    {
        config.Only("image_mean", a.Preparation.Normalization.Mean);
        config.Only("image_std", a.Preparation.Normalization.Deviation);
        config.Only("rescale_factor", 1.0 / 255);
        foreach (var step in new[] { "do_resize", "do_rescale", "do_normalize" })
        {
            config.On(step);
        }

        return a.Family.Fit == ImageFit.Squash ? Squashed(config, a) : Cropped(config, a);
    }

    private static ModelTraits Squashed(DescribedPart config, ClipArchitecture a)
    {
        config.Only("image_processor_type", "SiglipImageProcessor", "SiglipImageProcessorFast", "SiglipImageProcessorPil");
        config.Off("do_center_crop", "both sides are resized here, and nothing is cut off");
        Side(config, "size", a.ImageResolution, "height", "width");
        if (!config.Has("resample"))
        {
            return ModelTraits.Unknown;
        }

        return
            config.Number("resample") is { } number
            && Enum.GetValues<ResizeFilter>().Where(one => (int)one == number).ToArray() is [var filter]
            ? new ModelTraits(Filter: filter)
            : throw config.NotComputed("resample", $"only {(int)ResizeFilter.Bilinear} (bilinear) and {Bicubic} (bicubic) are supported");
    }

    private static ModelTraits Cropped(DescribedPart config, ClipArchitecture a)
    {
        config.Only("image_processor_type", "CLIPImageProcessor", "CLIPImageProcessorFast", "CLIPImageProcessorPil");
        config.Only("feature_extractor_type", "CLIPFeatureExtractor");
        config.Only("resample", Bicubic);
        Side(config, "crop_size", a.ImageResolution, "height", "width");
        // Both sides are resized where both are named, and the crop finds nothing to cut off.
        if (config.Part("size") is { } sides && sides.Has("height") && !sides.Has("shortest_edge"))
        {
            Side(config, "size", a.ImageResolution, "height", "width");
            return new ModelTraits(Fit: ImageFit.Squash);
        }

        config.On("do_center_crop");
        Side(config, "size", a.ImageResolution, "shortest_edge");
        return new ModelTraits(Fit: config.Has("size") ? ImageFit.CentreCrop : null);
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
            throw part.NotComputed(
                key,
                $"the weights take {side} pixels, and only pictures of exactly that size, cut from the middle, are supported"
            );
        }
    }
}
